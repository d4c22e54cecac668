/** What the promise rejects with. Rejects itself where it does not: `expect(…).rejects` cannot be awaited by its type. */
export async function rejection(attempt: Promise<unknown>): Promise<Error> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error("it was rejected with what is no error", { cause: error });
  }
  throw new Error("it was not rejected");
}
