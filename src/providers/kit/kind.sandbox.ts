/** What a kind of provider exports as `sandbox` from `<kind>.sandbox.ts`. For scripts and tests, never in a bundle. */
export type Sandbox<Options extends { id: string } = { id: string }> = {
  /** The simulated providers. Each starts if the configuration has a block of this kind with its id. Must survive JSON. */
  providers: readonly Options[];
  /** Play values for the variables that these blocks name, the same on every machine. */
  secrets: Record<string, string>;
  /**
   * Starts one provider on its own socket. Loads the simulator only here, since the gateway's process needs only the members above. `url` is the
   * value for the block's `base_url`.
   */
  start(options: Options): Promise<{ url: string; close: () => Promise<void> }>;
};
