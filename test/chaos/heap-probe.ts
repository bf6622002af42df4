/** Loaded before the gateway's own entry: SIGUSR2 collects what can be collected and tells what is left. */
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  process.stdout.write(`${JSON.stringify({ event: 'heap', heapUsed, rss, handles: process.getActiveResourcesInfo().length })}\n`);
});
