/** Thrown when the gateway does not start. Its message explains the reasons to a person, one per line. */
export class StartRefused extends Error {}
