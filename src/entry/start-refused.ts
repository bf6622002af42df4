/** Why the gateway did not start, in words for a person, one line per reason. */
export class StartRefused extends Error {}
