const everyMs = 25;
/** Far above what anything takes: it only ends a test that would hang. */
const longestMs = 60_000;
/** Of a test: what it waits for in vain is told before it is cut off. */
export const testTimeoutMs = 150_000;

/** Asks again until there is an answer; what never comes ends with what was waited for. */
export async function until<T>(what: string, ask: () => Promise<T | null>, more: () => string = () => ""): Promise<T> {
  const end = performance.now() + longestMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > end) throw new Error(`waited in vain for ${what}\n${more()}`);
    await Bun.sleep(everyMs);
  }
}
