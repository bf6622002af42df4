/** The type of the export `sandbox` of `<kind>.sandbox.ts`. For scripts and tests, never in a bundle. */
export type Sandbox<Options extends { id: string } = { id: string }> = {
  /** The options of the simulated providers, as plain JSON. Each provider starts if the configuration has a block of this kind with its id. */
  providers: readonly Options[];
  /** Made-up values for the environment variables that the providers' blocks name. They are the same on every machine. */
  secrets: Record<string, string>;
  /**
   * Starts one provider on its own socket. Imports the simulator only when called, because the gateway's process needs only the members above. `url`
   * is the value for the block's `base_url`.
   */
  start(options: Options): Promise<{ url: string; close: () => Promise<void> }>;
};
