import { describe, expect, it } from 'vitest';
import { providerModules } from '../providers/registry.gen.ts';
import { readEnv } from './env.ts';
import { haircutNotes } from './haircut-notes.ts';
import { parseConfig, type GatewayConfig } from './providers-config.ts';
import { referenceNotes } from './reference-config.ts';
import { checkMode, freshSecrets, readSecrets } from './secrets.ts';

const parse = (text: string) => parseConfig(text, { fileName: 'providers.config.yaml', modules: providerModules });
const good = (text: string): GatewayConfig => {
  const parsed = parse(text);
  if (!parsed.ok) throw new Error(parsed.mistakes.join('\n'));
  return parsed.config;
};
const mistakes = (text: string): string[] => {
  const parsed = parse(text);
  return parsed.ok ? [] : parsed.mistakes;
};
const block = 'providers:\n  alpine:\n    kind: fiat-on-ramp\n    base_url: https://alpine.example\n';
const live = `mode: live\nnetwork: main\npublic_url: https://ramp.wallet.example\n${block}`;
let seed = 0;
const bytes = (n: number) => new Uint8Array(n).fill((seed += 1));

describe('configuration', () => {
  it('one reading names every mistake, in the order of the lines', () => {
    const text = `mode: sandbox
network: regtst
limts: { in_flight: 3 }
routing: { quote_deadline: 900, lerning: on }
providers:
  alpine: { kind: fiat-on-rmp, base_url: https://alpine.example }
  borealis: { kind: fiat-on-ramp, base_url: 17, breakr: {} }
  cobalt: nothing
`;
    expect(mistakes(text).map((line) => line.replace('providers.config.yaml:', ''))).toEqual([
      '2: network: found "regtst", allowed: main, test, signet, regtest',
      '3: limts: unknown setting, did you mean "limits"?',
      '4: routing.quote_deadline: unknown setting, did you mean "quote_deadline_ms"?',
      '4: routing.lerning: unknown setting, did you mean "learning"?',
      '6: providers.alpine.kind: found "fiat-on-rmp", allowed: bitrefill, blocktank, bringin, dfx, fiat-on-ramp, lsps1',
      '7: providers.borealis.base_url: found 17, expected: string',
      '7: providers.borealis.breakr: unknown setting, did you mean "breaker"?',
      '8: providers.cobalt: found "nothing", expected: object',
    ]);
  });

  it.each([
    ['on', '6: providers.dfx.mode: found "on"'],
    [undefined, '4: providers.dfx.mode: nothing found'],
  ])('a kind that gives prices only cannot be offered (mode: %s)', (mode, found) => {
    const text = `mode: sandbox\nnetwork: regtest\nproviders:\n  dfx:\n    kind: dfx\n${mode === undefined ? '' : `    mode: ${mode}\n`}    base_url: https://dfx.example\n`;
    expect(mistakes(text)).toEqual([
      `providers.config.yaml:${found}, allowed: shadow, off; with these settings the provider gives prices, but takes no orders, so it is not offered`,
    ]);
  });
  it.each(['shadow', 'off'] as const)('and may be %s', (mode) => {
    const text = `mode: sandbox\nnetwork: regtest\nproviders:\n  dfx: { kind: dfx, mode: ${mode}, base_url: https://dfx.example }\n`;
    expect(good(text).providers).toMatchObject([{ id: 'dfx', mode }]);
  });

  it('a merge key brings the members of its anchor, and its own come first', () => {
    const text = `mode: sandbox
network: regtest
providers:
  alpine: &base { kind: fiat-on-ramp, base_url: https://alpine.example, preference_bps: 5, timeouts: { quote_ms: 900 } }
  borealis: { <<: *base, base_url: https://borealis.example }
  cobalt:
    <<: [*base]
    preference_bps: 7
`;
    expect(good(text).providers).toMatchObject([
      { id: 'alpine', base_url: 'https://alpine.example', preference_bps: 5 },
      { id: 'borealis', kind: 'fiat-on-ramp', base_url: 'https://borealis.example', preference_bps: 5, timeouts: { quote_ms: 900 } },
      { id: 'cobalt', base_url: 'https://alpine.example', preference_bps: 7 },
    ]);
    // A mistake in a merged part is reported once for each block that merged it.
    expect(mistakes(text.replace('preference_bps: 5', 'preference_bps: 5000')).join('\n')).toMatch(/providers\.alpine\.preference_bps/);
  });
  it('fills in every default', () => {
    const config = good(`mode: sandbox\nnetwork: regtest\n${block}`);
    expect(config.routing).toMatchObject({
      quote_deadline_ms: 2500,
      outlier_bps: 1000,
      indicative_haircut_bps: 100,
      route_version: 'auto',
      learning: 'ranked',
      arrival_seconds: { instant: 60, card: 300, bank_transfer: 86_400 },
    });
    expect(config.providers).toMatchObject([
      {
        id: 'alpine',
        name: 'alpine',
        mode: 'on',
        sandbox: true,
        repost: 'unknown',
        settings: { fee_style: 'included', proof: 'none', base_url: 'https://alpine.example' },
      },
    ]);
  });

  it('notes where an estimate may promise more than its order delivers', () => {
    const notes = (routing: string, pinned = ''): string[] => haircutNotes(good(`mode: sandbox\nnetwork: regtest\nrouting: ${routing}\n${block}${pinned}`));
    expect(notes('{}')).toEqual([]);
    expect(notes('{ slippage_bps: 50 }', '    haircut_bps: 50\n')).toEqual([]);
    expect(notes('{ indicative_haircut_bps: 50 }', '    haircut_bps: 0\n')).toEqual([
      'routing.indicative_haircut_bps 50 is below routing.slippage_bps 100: estimates are discounted by 100 basis points instead',
      'providers.alpine.haircut_bps 0 is below routing.slippage_bps 100: its estimates may promise more than its orders deliver',
    ]);
  });

  it.each<[string, string, string]>([
    ['a wrong word', `mode: sandbx\nnetwork: regtest\n${block}`, 'providers.config.yaml:1: mode: found "sandbx", allowed: sandbox, live'],
    [
      'a wrong type',
      `mode: sandbox\nnetwork: regtest\nrouting:\n  quote_deadline_ms: soon\n${block}`,
      'providers.config.yaml:4: routing.quote_deadline_ms: found "soon", expected: number',
    ],
    [
      'a misspelt setting of the gateway',
      `mode: sandbox\nnetwork: regtest\n${block}    prefernce_bps: 3\n`,
      'providers.config.yaml:7: providers.alpine.prefernce_bps: unknown setting, did you mean "preference_bps"?',
    ],
    [
      'a wrong setting of the module',
      `mode: sandbox\nnetwork: regtest\n${block}    fee_style: add\n`,
      'providers.config.yaml:7: providers.alpine.fee_style: found "add", allowed: included, added',
    ],
    [
      'something missing',
      'mode: sandbox\nnetwork: regtest\nproviders:\n  alpine:\n    kind: fiat-on-ramp\n',
      'providers.config.yaml:4: providers.alpine.base_url: nothing found, expected: string',
    ],
    ...['loopback', '10.0.0.0/33', '172.16.0.0/255.240.0.0', 'fd00::/129', '010.0.0.1'].map((entry): [string, string, string] => [
      `"${entry}" as a trusted proxy`,
      `mode: sandbox\nnetwork: regtest\ntrusted_proxies:\n  - 10.0.0.0/8\n  - ${entry}\n${block}`,
      `providers.config.yaml:5: trusted_proxies.1: found "${entry}", must be an IP address or a range`,
    ]),
    [
      'a trusted proxy by name, in one line with others',
      `mode: sandbox\nnetwork: regtest\ntrusted_proxies: [127.0.0.1, caddy]\n${block}`,
      'providers.config.yaml:3: trusted_proxies.1: found "caddy", must be',
    ],
    ...['0.0.0.0/0', '::/0', '::ffff:0:0/96', '128.0.0.0/1', '2000::/3'].map((entry): [string, string, string] => [
      `"${entry}", which trusts everybody, as a trusted proxy`,
      `mode: sandbox\nnetwork: regtest\ntrusted_proxies: ['${entry}']\n${block}`,
      `providers.config.yaml:3: trusted_proxies.0: found "${entry}", is too large: `,
    ]),
    ...['payment_hosts', 'payout_hosts'].flatMap((list) =>
      [
        'com',
        'https://pay.x.example',
        'pay.x.example:443',
        'pay.x.example/pay',
        '*.x.example',
        '.x.example',
        'x.example.',
        'zürich.example',
        '9.9.9.9',
        '',
      ].map((entry): [string, string, string] => [
        `"${entry}" in ${list}`,
        `mode: sandbox\nnetwork: regtest\n${block}    ${list}: [x.example, '${entry}']\n`,
        `providers.config.yaml:7: providers.alpine.${list}.1: found "${entry}", must be a host name with a dot, like pay.bank.example`,
      ]),
    ),
    ...['com', 'https://bringin.xyz'].flatMap((entry) =>
      ['signup_hosts', 'lightning_hosts'].map((list): [string, string, string] => [
        `"${entry}" in ${list}`,
        `mode: sandbox\nnetwork: regtest\nproviders:\n  b: { kind: bringin, base_url: https://b.example, master_key_env: B_KEY, ${list}: ['${entry}'] }\n`,
        `providers.config.yaml:4: providers.b.${list}.0: found "${entry}", must be a host name with a dot`,
      ]),
    ),
    ...['eur', 'Eur', 'EUR/USD'].map((code): [string, string, string] => [
      `a reference price in ${code}`,
      `mode: sandbox\nnetwork: regtest\nrouting:\n  reference:\n    ${code}: { btc_price: 9000000 }\n${block}`,
      `providers.config.yaml:5: routing.reference.${code}: this name must be a code in capitals, like EUR`,
    ]),
    ...['https://*', 'https://*.wallet.example'].map((origin): [string, string, string] => [
      `${origin} as a frame`,
      `mode: sandbox\nnetwork: regtest\npages: { frame_ancestors: ['${origin}'] }\n${block}`,
      `providers.config.yaml:3: pages.frame_ancestors.0: found "${origin}", must be an origin, like https://wallet.example, without wildcards`,
    ]),
    ...['javascript:alert(1)', '" javascript:alert(1)"', '"java\\tscript:alert(1)"', '"\\x01data:text/html,x"', 'file:///x'].map(
      (entry): [string, string, string] => [
        `return_to ${entry}`,
        `mode: sandbox\nnetwork: regtest\napps:\n  wallet:\n    return_to:\n      - ${entry}\n${block}`,
        'providers.config.yaml:6: apps.wallet.return_to.0: found ',
      ],
    ),
    ['broken YAML', 'mode: [sandbox\n', 'providers.config.yaml:2: '],
    [
      'a bad id',
      'mode: sandbox\nnetwork: regtest\nproviders:\n  Alpine Pay:\n    kind: fiat-on-ramp\n',
      'providers.config.yaml:4: providers.Alpine Pay: this name must be a short lower-case name',
    ],
  ])('%s is named with its line', (_name, text, line) => {
    expect(mistakes(text).some((one) => one.startsWith(line))).toBe(true);
  });

  it('takes hosts in any case, and ranges of proxies as large as the largest private network', () => {
    const proxies = ['10.0.0.0/8', 'fc00::/7', '::ffff:10.0.0.0/104', '203.0.113.9'];
    const config = good(
      `mode: sandbox\nnetwork: regtest\ntrusted_proxies: ${JSON.stringify(proxies)}\n${block}    payment_hosts: [Pay.Bank.example, xn--zrich-kva.example]\n`,
    );
    expect([config.trusted_proxies, config.providers[0]?.payment_hosts]).toEqual([proxies, ['Pay.Bank.example', 'xn--zrich-kva.example']]);
  });

  it("no provider is called gateway: it would get the signature over the gateway's own token", () => {
    const text = `mode: sandbox\nnetwork: regtest\n${block.replace('alpine:', 'gateway:')}`;
    expect(mistakes(text)).toEqual([expect.stringContaining('this name is the gateway itself')]);
  });

  it('an unknown kind names the known ones', () => {
    expect(mistakes('mode: sandbox\nnetwork: regtest\nproviders:\n  x:\n    kind: nope\n')[0]).toMatch(
      /^providers\.config\.yaml:5: providers\.x\.kind: found "nope", allowed: .*fiat-on-ramp/,
    );
  });

  it('live refuses what is not safe for money, one line each', () => {
    expect(checkMode(good(live), { DATABASE_URL: 'postgres://x' })).toEqual([]);
    const shared = good(`${live}pages: { console_host: ramp.wallet.example }\n`);
    expect(checkMode(shared, { DATABASE_URL: 'postgres://x' })).toEqual([
      'pages.console_host is the host of public_url, but the console needs a host that serves nothing public',
    ]);
    const bad = good(live.replace('https://ramp', 'http://ramp').replace('https://alpine.example', 'http://10.0.0.1').concat('    sandbox: true\n'));
    expect(checkMode(bad, {})).toEqual([
      'public_url: live mode needs https (PUBLIC_URL overrides the configuration)',
      'DATABASE_URL is missing: live mode needs a PostgreSQL database',
      'providers.alpine: a sandbox provider cannot be used in live mode',
      'providers.alpine.base_url: live mode needs https',
      'providers.alpine.base_url: "10.0.0.1" is a private address',
    ]);
  });

  it('live checks a provider that is off like one that is on, since an operator could switch it on', () => {
    const said = (more: string): string[] => checkMode(good(`${live}  other: { ${more}, mode: off }\n`), { DATABASE_URL: 'postgres://x' });
    expect(said('kind: fiat-on-ramp, base_url: https://other.example')).toEqual([]);
    expect(said('kind: fiat-on-ramp, base_url: "http://10.0.0.1", sandbox: true')).toEqual([
      'providers.other: a sandbox provider cannot be used in live mode',
      'providers.other.base_url: live mode needs https',
      'providers.other.base_url: "10.0.0.1" is a private address',
      'providers.other is off, but could be switched on while the gateway runs: remove the block, or correct it',
    ]);
  });

  it('live refuses addresses that replace those of its providers', () => {
    const variables = { DATABASE_URL: 'postgres://x', SANDBOX_URLS: '{"alpine":"https://test.example"}' };
    expect(checkMode(good(live), variables)).toEqual(['SANDBOX_URLS replaces the addresses of providers, which only the sandbox may: remove it']);
  });

  const withPublicUrl = (publicUrl: string) => parseConfig(live, { fileName: 'x.yaml', modules: providerModules, publicUrl });
  it.each([
    ['https://ramp.example/?a=do-not-show', 'an address without user'],
    ['https://ramp.example/#do-not-show', 'an address without user'],
    ['https://ramp:do-not-show@ramp.example', 'an address without user'],
    ['do-not-show', 'an address like https://'],
    ['ftp://do-not-show.example', 'an address like https://'],
  ])('PUBLIC_URL %j is refused wherever it comes from', (publicUrl, says) => {
    const parsed = withPublicUrl(publicUrl);
    expect(parsed).toEqual({ ok: false, mistakes: [expect.stringContaining(`environment: PUBLIC_URL must be ${says}`)] });
    expect(JSON.stringify(parsed)).not.toContain('do-not-show');
  });
  it.each([
    [' https://ramp.example/\n', 'https://ramp.example'],
    [' ', 'https://ramp.wallet.example'],
    ['', 'https://ramp.wallet.example'],
  ])('PUBLIC_URL %j means %s', (publicUrl, means) => {
    const parsed = withPublicUrl(publicUrl);
    expect(parsed.ok && parsed.config.public_url).toBe(means);
  });

  it.each([
    ['lightning_base_url', 'kind: bringin, master_key_env: KEY'],
    ['redeem_base_url', 'kind: bitrefill, api_key_env: KEY, api_secret_env: SECRET, receipt_email: a@b.example'],
  ])('live also wants a safe %s', (name, more) => {
    const text = `${live}  other: { ${more}, base_url: https://other.example, ${name}: 'http://[::1]:8080' }\n`;
    expect(checkMode(good(text), { DATABASE_URL: 'postgres://x' })).toEqual([
      `providers.other.${name}: live mode needs https`,
      `providers.other.${name}: "[::1]" is a private address`,
    ]);
  });
});

describe('the address of a provider in live mode', () => {
  const said = (host: string): string[] => checkMode(good(live.replace('alpine.example', host)), { DATABASE_URL: 'postgres://x' });

  it.each([
    '127.0.0.1',
    '0x7f.1',
    '0.0.0.0',
    '100.64.0.1',
    '169.254.169.254',
    '[::1]',
    '[fd00::1]',
    '[::ffff:10.0.0.1]',
    'localhost',
    'x.local',
    'x.internal.',
  ])('%s is private', (host) => {
    expect(said(host)).toEqual([expect.stringMatching(/^providers\.alpine\.base_url: ".*" is a private address$/)]);
  });
  it.each(['8.8.8.8', '[2a00:1450::1]', '10.example', 'api.language.example', 'localhost.example'])('%s is public', (host) => {
    expect(said(host)).toEqual([]);
  });
});

describe('secrets', () => {
  it('reads current and old keys, and names a missing variable, never its value', () => {
    const config = good(live.concat('    catalogue_key_env: ALPINE_KEY\n'));
    const fresh = freshSecrets(bytes);
    const read = readSecrets({ ...fresh, SEAL_KEY_OLD: freshSecrets(bytes).SEAL_KEY.replace('s1', 's0'), ALPINE_KEY: 'x' }, config);
    const idsOf = (keys: { id: string }[]): unknown => keys.map(({ id }) => id);
    expect(read.ok && idsOf(read.secrets.seal)).toEqual([expect.stringMatching(/^s1-[a-z]{6}$/), expect.stringMatching(/^s0-[a-z]{6}$/)]);
    // The keys of an earlier `keys init` still open what they sealed, so they are accepted as old ones.
    const before = freshSecrets(bytes);
    const both = { ...fresh, SEAL_KEY_OLD: before.SEAL_KEY, NOTICE_KEY_OLD: before.NOTICE_KEY, WEBHOOK_SIGNING_KEY_OLD: before.WEBHOOK_SIGNING_KEY };
    const pairs = readSecrets({ ...both, ALPINE_KEY: 'x' }, config);
    expect(pairs.ok && [pairs.secrets.seal, pairs.secrets.notice, pairs.secrets.signing].map(({ length }) => length)).toEqual([2, 2, 2]);
    const bad = readSecrets({ SEAL_KEY: 'my-secret-words' }, config);
    expect(bad).toEqual({
      ok: false,
      mistakes: [
        'SEAL_KEY does not have the form id:base64 of 32 bytes',
        'NOTICE_KEY is missing: npm run keys -- init (in the image: ramp keys init) prints a fresh one',
        'WEBHOOK_SIGNING_KEY is missing: npm run keys -- init (in the image: ramp keys init) prints a fresh one',
        'providers.alpine.catalogue_key_env names the variable ALPINE_KEY, which is not set',
      ],
    });
  });

  const bringin = good('mode: sandbox\nnetwork: regtest\nproviders: { b: { kind: bringin, base_url: https://b.example, master_key_env: B_KEY } }');
  it.each(['key', 'key\n', 'key\r\n', ' key ', '\tkey\n\n'])('a provider’s credential %j loses the line end of its file', (value) => {
    const read = readSecrets({ ...freshSecrets(bytes), B_KEY: value, METRICS_TOKEN: value }, bringin);
    expect(read.ok && [read.secrets.provider('B_KEY'), read.secrets.metricsToken]).toEqual(['key', 'key']);
  });
  it.each([
    ['do-not\nshow', /^B_KEY contains a line break or another character that a secret cannot have$/],
    ['do-not-show\u0000', /^B_KEY contains a line break/],
    ['do-not-sh\u00f6w', /^B_KEY contains a line break/],
    ['"do-not-show"', /^B_KEY is in quotes: remove them/],
    ["'do-not-show'", /^B_KEY is in quotes/],
    ['   \n', /^providers\.b\.master_key_env names the variable B_KEY, which is not set$/],
  ])('%j is no credential', (value, says) => {
    const read = readSecrets({ ...freshSecrets(bytes), B_KEY: value }, bringin);
    expect(read).toEqual({ ok: false, mistakes: [expect.stringMatching(says)] });
    expect(JSON.stringify(read)).not.toMatch(/do-not/);
  });
});

it('environment: defaults, and a mistake in one line', () => {
  expect(readEnv({ PORT: '' })).toMatchObject({ ok: true, env: { PORT: 8787, HOST: '127.0.0.1', LOG_LEVEL: 'info' } });
  const bad = readEnv({ PORT: 'x', DATABASE_URL: 'mysql://x' });
  expect(!bad.ok && bad.mistakes.length).toBe(2);
});

describe('routing.reference', () => {
  const withReference = (yaml: string): string => `mode: sandbox\nnetwork: regtest\nrouting:\n  reference:\n${yaml}\n${block}`;
  const referenceOf = (yaml: string) => good(withReference(yaml)).routing.reference;
  it('presets become feeds of their currency', () => {
    const feeds = referenceOf('    CHF: { feeds: [kraken, mempool] }')?.['CHF']?.feeds;
    expect(feeds).toEqual([
      {
        name: 'kraken',
        url: 'https://api.kraken.com/0/public/Ticker?pair=XBTCHF',
        bid: '/result/XBTCHF/b/0',
        ask: '/result/XBTCHF/a/0',
        venue: 'kraken',
        averages: [],
      },
      expect.objectContaining({ name: 'mempool', price: '/CHF', averages: expect.arrayContaining(['kraken', 'coinbase']) }),
    ]);
  });
  it('a host that names an exchange is that exchange; on loopback each address is its own', () => {
    const at = (url: string) => referenceOf(`    EUR: { feeds: [{ name: own, url: '${url}', price: /p }] }`)?.['EUR']?.feeds?.[0]?.venue;
    expect(at('https://api.kraken.com/0/public/Other')).toBe('kraken');
    expect(at('https://api.gemini.com/v1/pubticker/btceur')).toBe('gemini');
    expect(at('https://ticker.desk.example/x')).toBe('ticker.desk.example');
    expect(at('http://127.0.0.1:8811/one/EUR')).toBe('http://127.0.0.1:8811/one/EUR');
  });
  it.each<[string, string, string]>([
    [
      'an unknown preset',
      '    EUR: { feeds: [krakn] }',
      'routing.reference.EUR.feeds.0: found "krakn", allowed: kraken, coinbase, bitstamp, mempool, or name, url',
    ],
    [
      'a currency that the preset does not have',
      '    CHF: { feeds: [bitstamp] }',
      'routing.reference.CHF.feeds.0: found "bitstamp", bitstamp has no price in CHF',
    ],
    ['the same feed twice', '    EUR: { feeds: [kraken, kraken] }', 'routing.reference.EUR.feeds.1: found "kraken", two feeds have the name kraken'],
    [
      'no pointer',
      '    EUR: { feeds: [{ name: a, url: https://a.example, bid: /b }] }',
      'routing.reference.EUR.feeds.0: found {"name":"a","url":"https://a.example","bid":"/b"}, give either bid and ask, or price',
    ],
    [
      'no JSON pointer',
      '    EUR: { feeds: [{ name: a, url: https://a.example, price: b }] }',
      'routing.reference.EUR.feeds.0.price: found "b", must be a JSON pointer',
    ],
    ['a number', '    EUR: { feeds: [{ name: a, url: https://a.example, price: 5 }] }', 'routing.reference.EUR.feeds.0.price: found 5, expected: string'],
    [
      'another scheme',
      '    EUR: { feeds: [{ name: a, url: "ftp://a.example", price: /b }] }',
      'routing.reference.EUR.feeds.0.url: found "ftp://a.example", must be an http or https URL',
    ],
    ['a misspelt member', '    EUR: { feeds: [{ name: a, url: https://a.example, pric: /b }] }', 'routing.reference.EUR.feeds.0.pric: unknown setting'],
    [
      'both',
      '    EUR: { feeds: [kraken], btc_price: 9000000 }',
      'routing.reference.EUR: found {"feeds":["kraken"],"btc_price":9000000}, give either feeds or btc_price',
    ],
    ['neither', '    EUR: { max_deviation_bps: 100 }', 'routing.reference.EUR: found {"max_deviation_bps":100}, give either feeds or btc_price'],
  ])('%s is named with its line', (_name, yaml, line) => {
    expect(mistakes(withReference(yaml))[0]).toContain(`providers.config.yaml:5: ${line}`);
  });
  it('notes where a reference is shown but never excludes an offer', () => {
    const notes = (yaml: string) => referenceNotes(referenceOf(yaml));
    expect(notes('    EUR: { feeds: [kraken, coinbase] }')).toEqual([]);
    expect(notes('    EUR: { feeds: [bitstamp, mempool] }')).toEqual([]);
    expect(notes('    EUR: { btc_price: 9000000, max_deviation_bps: 300 }')).toEqual([]);
    expect(notes('    EUR: { btc_price: 9000000 }')).toEqual([
      'routing.reference.EUR.btc_price is shown and excludes no offer: set max_deviation_bps if it should',
    ]);
    const never = 'routing.reference.EUR does not have two independent feeds, so its price is never live, and excludes no offer';
    expect(notes('    EUR: { feeds: [kraken] }')).toEqual([never]);
    expect(notes('    EUR: { feeds: [kraken, mempool], max_deviation_bps: 300 }')).toEqual([never]);
    expect(notes('    EUR: { feeds: [kraken, { name: b, url: https://api.kraken.com/x, price: /p }] }')).toEqual([never]);
    expect(notes('    EUR: { feeds: [kraken], max_deviation_bps: 300 }')).toEqual([
      'routing.reference.EUR does not have two independent feeds, so its price is never live',
    ]);
  });
  it('live mode wants public feeds over https', () => {
    const feed = (url: string): string => `routing:\n  reference:\n    EUR: { feeds: [kraken, { name: own, url: '${url}', price: /p }] }\n`;
    const said = (url: string): string[] => checkMode(good(live.replace('providers:', `${feed(url)}providers:`)), { DATABASE_URL: 'postgres://x' });
    expect(said('https://ticker.example/x')).toEqual([]);
    expect(said('http://10.0.0.1/x')).toEqual([
      'routing.reference.EUR: the feed own needs https in live mode',
      'routing.reference.EUR: the feed own is at "10.0.0.1", a private address',
    ]);
  });
});
