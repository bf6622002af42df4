/** The checks of `npm run doctor`. They are made from outside, without a secret, and each prints one line. */
export type Finding = { name: string; good: boolean; says: string };
type Answer = { status: number; headers: Headers; body: Record<string, unknown>; ms: number };
export type Ask = (path: string, body?: object) => Promise<Answer>;

/** Returns a function that calls the gateway. `base` has no slash at its end. The function throws what fetch throws. */
export const askAt =
  (base: string, timeoutMs = 10_000): Ask =>
  async (path, body) => {
    const started = performance.now();
    const response = await fetch(base + path, {
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'manual',
      ...(body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: asObject(text), ms: Math.round(performance.now() - started) };
  };

const asObject = (text: string): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
};

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const mostSkewMs = 30_000;

const checks: readonly { name: string; run: (ask: Ask, url: string) => Promise<[good: boolean, says: string]> }[] = [
  {
    name: 'answers',
    run: async (ask) => {
      const { status, ms, body } = await ask('/health/live');
      const mistakes = body['code'] === 'misconfigured' ? `: ${textOf(body['detail'])}` : '';
      return [status === 200, `/health/live ${status} in ${ms} ms${mistakes}`];
    },
  },
  {
    name: 'mode',
    run: async (ask, url) => {
      const isSandbox = (await ask('/health/live')).headers.get('x-ramp-mode') === 'sandbox';
      if (!isSandbox) return [true, 'live'];
      return url.startsWith('https:') ? [false, 'sandbox, behind https: a deployment needs mode: live'] : [true, 'sandbox'];
    },
  },
  {
    name: 'ready',
    run: async (ask) => {
      const { status, body } = await ask('/health/ready');
      const missing = ['configuration', 'database', 'migrations'].filter((part) => body[part] !== true);
      if (missing.length === 0) return [status === 200, 'configuration, database, migrations'];
      const why = body['configuration'] === false ? textOf((await ask('/verify')).body['detail']) : '';
      return [false, `missing: ${missing.join(', ')}${why === '' ? '' : `: ${why}`}`];
    },
  },
  {
    name: 'public_url',
    run: async (ask) => {
      const { status, body } = await ask('/verify');
      if (status !== 200) return [false, `unknown: /verify ${status} ${textOf(body['code'])}`];
      const host = hostOf(body['tokens']);
      if (host === undefined) return [true, 'cannot be seen from outside (proof_of_ownership: never)'];
      const url = `${/^(?:localhost|127\.|\[::1\])/.test(host) ? 'http' : 'https'}://${host}`;
      // The signing keys show whether public_url leads to this gateway or to another one.
      const [own, there] = await Promise.all([keysOf(ask), keysOf(askAt(url)).catch(() => undefined)]);
      return [there === own, there === undefined ? `${url} does not answer` : there === own ? `${url} leads here` : `${url} is another gateway`];
    },
  },
  {
    name: 'clock',
    run: async (ask) => {
      const before = Date.now();
      const { body } = await ask('/providers');
      const there = Date.parse(textOf(body['answered_on']));
      const skew = there < before ? there - before : Math.max(0, there - Date.now());
      return [
        Math.abs(skew) <= mostSkewMs,
        Number.isNaN(there) ? '/providers states no time' : `${Math.abs(Math.round(skew / 100) / 10)} s difference from this machine`,
      ];
    },
  },
  {
    name: 'signing keys',
    run: async (ask) => {
      const { body } = await ask('/.well-known/webhook-keys');
      const kids = Array.isArray(body['keys']) ? body['keys'].map((key: { kid?: unknown }) => String(key.kid)) : [];
      return [kids.length > 0 && new Set(kids).size === kids.length, kids.length === 0 ? 'none' : kids.join(', ')];
    },
  },
  {
    name: 'read after write',
    run: async (ask) => {
      const { status, body } = await ask('/verify');
      if (status !== 200) return [false, `/verify ${status} ${textOf(body['code'])}`];
      const opened = await ask('/session', { session_id: body['session_id'] });
      if (opened.status !== 200)
        return [false, `a session that was just begun is not found: ${opened.status} ${textOf(opened.body['code'])} (Hyperdrive with caching on?)`];
      const again = await ask('/order-status', { session_id: body['session_id'] });
      return [again.status === 200, `a session was begun, opened and used at once (${again.status})`];
    },
  },
];

/**
 * Returns the host of the gateway's public_url. The gateway's own one-time token names it: ramp-gateway:host:secret. Earlier releases omit the first
 * word.
 */
const hostOf = (tokens: unknown): string | undefined => {
  const token = typeof tokens === 'object' && tokens !== null && 'gateway' in tokens ? textOf(tokens.gateway) : undefined;
  return token?.slice(0, token.lastIndexOf(':')).replace(/^ramp-gateway:/, '');
};
const keysOf = async (ask: Ask): Promise<string> => JSON.stringify((await ask('/.well-known/webhook-keys')).body['keys'] ?? 'none');

type Listed = {
  id: string;
  products?: string[];
  currencies: { payment_options: unknown[] }[];
  circuits: Record<string, string>;
  last_fault?: { reason: string; on: string };
  sandbox: boolean;
};
/** Returns one finding per provider. GET /providers reads each provider's listing, the cheapest call there is, unless the stored listing is fresh. */
const providerFindings = async (ask: Ask): Promise<Finding[]> => {
  const { status, body } = await ask('/providers');
  const listed = Array.isArray(body['providers']) ? (body['providers'] as Listed[]) : [];
  if (status !== 200 || listed.length === 0) return [{ name: 'providers', good: false, says: status === 200 ? 'no provider is on' : `/providers ${status}` }];
  return listed.map((one) => {
    const options = one.currencies.reduce((sum, currency) => sum + currency.payment_options.length, 0);
    const open = Object.entries(one.circuits).filter(([, state]) => state !== 'closed');
    const sells = one.products === undefined ? `${options} payment options` : one.products.join(', ');
    const good = options + (one.products?.length ?? 0) > 0 && open.length === 0;
    const why = good || one.last_fault === undefined ? '' : `: ${one.last_fault.reason} at ${one.last_fault.on}`;
    const says = `${sells === '' || options + (one.products?.length ?? 0) === 0 ? 'nothing listed' : sells}${open.map(([name, state]) => `, ${name} circuit ${state}`).join('')}${why}${one.sandbox ? ', sandbox' : ''}`;
    return { name: `provider ${one.id}`, good, says };
  });
};

/** Runs the checks in order, and stops after the first one if that finds no gateway. A check that throws counts as failed. */
export const examine = async (ask: Ask, url: string): Promise<Finding[]> => {
  const findings: Finding[] = [];
  for (const { name, run } of checks) {
    const [good, says] = await run(ask, url).catch((error: unknown): [boolean, string] => [false, reasonOf(error)]);
    findings.push({ name, good, says });
    if (name === 'answers' && !good) return findings;
  }
  findings.push(...(await providerFindings(ask).catch((error: unknown) => [{ name: 'providers', good: false, says: reasonOf(error) }])));
  return findings;
};

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'no answer';
  const cause = error.cause instanceof Error && 'code' in error.cause ? ` (${String(error.cause.code)})` : '';
  return `${error.message}${cause}`;
};
