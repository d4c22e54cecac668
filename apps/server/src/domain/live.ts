/** A working agent's ear. */
export interface LiveAgent {
  /** The id of the prompt that it was started with. */
  readonly prompt: string;
  /** Answers the message's id, or null where the agent takes no more: the message must wait for the lane's next run. */
  push(text: string): string | null;
}

/** What a run hears of its agent while it works. */
export interface LiveHooks {
  /** The agent was given its prompt. Called again where a run's first process had nothing to resume and a second one is begun. */
  opened(agent: LiveAgent): void;
  /** A turn ended well that was given the messages with these ids; awaited before the agent is heard again. */
  told(ids: readonly string[]): Promise<void>;
}
