/** The last bytes of a stream, as text. */
export interface Tail {
  add: (chunk: Uint8Array) => void;
  text: () => string;
}

export function createTail(maxBytes: number): Tail {
  let kept = Buffer.alloc(0);
  return {
    add(chunk) {
      kept = Buffer.concat([kept, chunk]).subarray(-maxBytes);
    },
    text: () => kept.toString("utf8"),
  };
}
