/** What a kind of provider brings for the sandbox, as `sandbox` in `<kind>.sandbox.ts`: for scripts and tests, never in a bundle. */
export type Sandbox<Options extends { id: string } = { id: string }> = {
  /** Which providers are pretended: each starts when the configuration has a block with its id and of this kind. Travels as JSON. */
  providers: readonly Options[];
  /** Play money: values of the variables that these blocks name, the same on every machine. */
  secrets: Record<string, string>;
  /** One of them on a socket of its own. `url` is what the block's `base_url` would say. */
  start(options: Options): Promise<{ url: string; close: () => Promise<void> }>;
};
