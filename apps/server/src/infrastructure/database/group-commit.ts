import { DatabaseError, isRowFault, QueueFull } from "./errors.ts";
import type { Channel, ChannelOptions, GroupCommit, Handle } from "./handle.ts";

export interface GroupCommitLimits {
  /** Items that may wait; the next one is refused with {@link QueueFull}. */
  maxQueued: number;
  /** Bytes that may wait, by each channel's own count. */
  maxQueuedBytes: number;
  /** Items of one transaction. */
  maxBatch: number;
}

const defaultLimits: GroupCommitLimits = { maxQueued: 4096, maxQueuedBytes: 64 * 1024 * 1024, maxBatch: 256 };

interface Entry {
  channel: object;
  item: unknown;
  bytes: number;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

type Write = (tx: Handle, items: readonly unknown[]) => Promise<readonly unknown[]>;

/** `mayAdd` throws where waiting for a commit would wait for itself: inside a transaction. */
export class GroupCommitWriter implements GroupCommit {
  readonly #handle: Pick<Handle, "transaction">;
  readonly #mayAdd: () => void;
  readonly #limits: GroupCommitLimits;
  readonly #writes = new Map<object, Write>();
  readonly #queue: Entry[] = [];
  #queuedBytes = 0;
  #working: Promise<void> | null = null;
  #closed = false;

  constructor(
    handle: Pick<Handle, "transaction">,
    { mayAdd, limits = {} }: { mayAdd: () => void; limits?: Partial<GroupCommitLimits> },
  ) {
    this.#handle = handle;
    this.#mayAdd = mayAdd;
    this.#limits = { ...defaultLimits, ...limits };
  }

  channel<Item, Result>(options: ChannelOptions<Item, Result>): Channel<Item, Result> {
    const channel: Channel<Item, Result> = {
      add: (item) => this.#add(channel, item, options.bytes(item)) as Promise<Result>,
    };
    this.#writes.set(channel, (tx, items) => options.write(tx, items as readonly Item[]));
    return channel;
  }

  async #add(channel: object, item: unknown, bytes: number): Promise<unknown> {
    this.#mayAdd();
    if (this.#closed) throw new DatabaseError("closed", "the database is closed");
    const { maxQueued, maxQueuedBytes } = this.#limits;
    if (this.#queue.length >= maxQueued || this.#queuedBytes + bytes > maxQueuedBytes)
      throw new QueueFull(
        `${this.#queue.length} rows (${this.#queuedBytes} bytes) wait to be stored, of at most ${maxQueued} (${maxQueuedBytes} bytes)`,
      );
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#queue.push({ channel, item, bytes, resolve, reject });
    this.#queuedBytes += bytes;
    this.#working ??= this.#work();
    return promise;
  }

  async #work(): Promise<void> {
    while (this.#queue.length > 0) {
      await endOfTurn();
      const batch = this.#queue.splice(0, this.#limits.maxBatch);
      for (const { bytes } of batch) this.#queuedBytes -= bytes;
      await this.#store(batch);
    }
    this.#working = null;
  }

  /** Halves a batch until the bad row stands alone, so that it fails and its neighbours do not. */
  async #store(batch: readonly Entry[]): Promise<void> {
    try {
      const settled = await this.#handle.transaction((tx) => this.#writeAll(tx, batch));
      for (const settle of settled) settle();
    } catch (error) {
      if (batch.length === 1 || !isRowFault(error)) return batch.forEach((entry) => entry.reject(error));
      const middle = Math.ceil(batch.length / 2);
      await this.#store(batch.slice(0, middle));
      await this.#store(batch.slice(middle));
    }
  }

  async #writeAll(tx: Handle, batch: readonly Entry[]): Promise<(() => void)[]> {
    const settled: (() => void)[] = [];
    for (const [channel, entries] of Map.groupBy(batch, (entry) => entry.channel)) {
      const items = entries.map(({ item }) => item);
      const results = (await this.#writes.get(channel)?.(tx, items)) ?? [];
      if (results.length !== items.length)
        throw new Error(`a channel answered ${results.length} results for ${items.length} items`);
      entries.forEach((entry, index) => settled.push(() => entry.resolve(results[index])));
    }
    return settled;
  }

  /** Stores what waits, then refuses more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#working;
  }
}

const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
