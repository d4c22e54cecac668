/** The lines of a byte stream, without their ends; a last one without an end counts too. Throws on a line of over `maxBytes`. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
    if (rest.length > maxBytes) throw new Error(`a line of over ${maxBytes} bytes`);
  }
  if (rest !== "") yield rest;
}
