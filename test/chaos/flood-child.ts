/** Asks for quotes at a steady rate, whatever the responses. It is a process of its own, so that what it costs is not part of what is measured. */
const { url, sessions, perSecond, ms } = JSON.parse(process.env['CHAOS_CHILD'] ?? '{}') as { url: string; sessions: string[]; perSecond: number; ms: number };
process.stdin.on('end', () => process.exit()).resume();
export type Flooded = { answers: Record<string, number>; withoutRetryAfter: number; longestMs: number; sent: number };

const flooded: Flooded = { answers: {}, withoutRetryAfter: 0, longestMs: 0, sent: 0 };
const ask = async (n: number): Promise<void> => {
  const started = performance.now();
  const response = await fetch(`${url}/quote`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ session_id: sessions[n % sessions.length], amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 }),
  });
  const body = (await response.json()) as { code?: string };
  const name = response.status === 200 ? '200' : `${response.status} ${String(body.code)}`;
  flooded.answers[name] = (flooded.answers[name] ?? 0) + 1;
  if (response.status === 503 && response.headers.get('retry-after') === null) flooded.withoutRetryAfter += 1;
  flooded.longestMs = Math.max(flooded.longestMs, performance.now() - started);
};
const asking: Promise<void>[] = [];
const began = performance.now();
while (performance.now() - began < ms) {
  const due = Math.floor(((performance.now() - began) / 1000) * perSecond);
  for (; flooded.sent < due; flooded.sent += 1)
    asking.push(
      ask(flooded.sent).catch((error: unknown) => {
        const name = error instanceof Error ? error.message : 'lost';
        flooded.answers[name] = (flooded.answers[name] ?? 0) + 1;
      }),
    );
  await new Promise((done) => setTimeout(done, 5));
}
await Promise.all(asking);
process.stdout.write(`${JSON.stringify(flooded)}\n`, () => process.exit());
