/** Something kept the demo from going on; the message is for people. */
export class DemoFailure extends Error {
  override readonly name = "DemoFailure";
}

/** A person, or whoever started the demo, wants it to end. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}
