/** Loaded before the gateway's own entry: on SIGUSR2 it runs a garbage collection and prints the remaining heap. */
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  process.stdout.write(`${JSON.stringify({ event: 'heap', heapUsed, rss, handles: process.getActiveResourcesInfo().length })}\n`);
});
