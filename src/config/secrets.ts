/** Reads the secrets. They are kept apart from everything else, so that no log line, error or dump of the configuration can contain a secret. */
import { base64 } from '@scure/base';
import { isAddress, isPublicAddress } from '../domain/public-address.ts';
import type { GatewayConfig } from './providers-config.ts';

export type NamedKey = { id: string; key: Uint8Array };
export type Secrets = {
  /** The current key first. Old keys still open what was sealed with them. */
  seal: NamedKey[];
  notice: Uint8Array[];
  signing: { kid: string; seed: Uint8Array }[];
  metricsToken: string | undefined;
  /** Returns the value of a variable that a provider's settings name. */
  provider: (name: string) => string | undefined;
  /** The secrets `whsec_…` of each app, by app id. */
  appWebhooks: Map<string, string[]>;
};
type Source = Record<string, string | undefined>;

/** Reads the keys in a variable and in its `_OLD` variable. Adds what is wrong with them to `mistakes`. */
const readKeys = (source: Source, name: string, mistakes: string[]): NamedKey[] => {
  const current = valueOf(source, name) ?? '';
  if (current === '') mistakes.push(`${name} is missing: npm run keys -- init (in the image: ramp keys init) prints a fresh one`);
  const old = `${name}_OLD`;
  const read = [{ from: name, text: current }, ...(source[old] ?? '').split(',').map((text) => ({ from: old, text: text.trim() }))].flatMap(
    ({ from, text }) => {
      if (text === '') return [];
      const key = readKey(text);
      if (!key) mistakes.push(`${from} does not have the form id:base64 of 32 bytes`);
      return key ?? [];
    },
  );
  // Sealed values and signatures name their key by its id, so one id must not stand for two keys.
  if (new Set(read.map(({ id }) => id)).size < new Set(read.map(({ id, key }) => `${id}:${base64.encode(key)}`)).size)
    mistakes.push(`${name} and ${old} have two keys with the same id: give the newer one an id of its own`);
  return read;
};

/** Reads only the keys that open sealed values, the current one first, for commands that need no other secret. */
export const readSealKeys = (source: Source): { ok: true; keys: NamedKey[] } | { ok: false; mistakes: string[] } => {
  const mistakes: string[] = [];
  const keys = readKeys(source, 'SEAL_KEY', mistakes);
  return mistakes.length > 0 ? { ok: false, mistakes } : { ok: true, keys };
};

export const readNoticeKeys = (source: Source): { ok: true; keys: NamedKey[] } | { ok: false; mistakes: string[] } => {
  const mistakes: string[] = [];
  const keys = readKeys(source, 'NOTICE_KEY', mistakes);
  return mistakes.length > 0 ? { ok: false, mistakes } : { ok: true, keys };
};

/**
 * Reads the secrets from the environment. SEAL_KEY, NOTICE_KEY and WEBHOOK_SIGNING_KEY have the form `id:base64 of 32 bytes`. Each `_OLD` variable is
 * a comma-separated list of replaced keys. Each mistake is one line. It names the variable, or the setting that names the variable, but never
 * shows the variable's value.
 */
export const readSecrets = (
  source: Source,
  config: Pick<GatewayConfig, 'apps' | 'providers'>,
): { ok: true; secrets: Secrets } | { ok: false; mistakes: string[] } => {
  const mistakes: string[] = [];
  const [seal = [], notice = [], signing = []] = ['SEAL_KEY', 'NOTICE_KEY', 'WEBHOOK_SIGNING_KEY'].map((name) => readKeys(source, name, mistakes));
  for (const { path, variable } of namedVariables(config)) {
    if (valueOf(source, variable) === undefined) mistakes.push(`${path} names the variable ${variable}, which is not set`);
    mistakes.push(...unusable(source, variable));
  }
  mistakes.push(...unusable(source, 'METRICS_TOKEN'));
  const appWebhooks = new Map(
    Object.entries(config.apps).flatMap(([id, app]) =>
      app.webhook_secret_env === undefined ? [] : [[id, appSecrets(valueOf(source, app.webhook_secret_env) ?? '')] as const],
    ),
  );
  for (const [id, secrets] of appWebhooks)
    if (secrets.some((one) => !isAppSecret(one)))
      mistakes.push(`apps.${id}.webhook_secret_env names a variable whose value is not whsec_ and base64 of 24 to 64 bytes (several: separated by commas)`);
  if (mistakes.length > 0) return { ok: false, mistakes: [...new Set(mistakes)] };
  return {
    ok: true,
    secrets: {
      seal,
      notice: notice.map((one) => one.key),
      signing: signing.map((one) => ({ kid: one.id, seed: one.key })),
      metricsToken: valueOf(source, 'METRICS_TOKEN'),
      provider: (name) => valueOf(source, name),
      appWebhooks,
    },
  };
};

/** Returns a variable without the spaces and line breaks around it, which files and secret stores add. An empty value counts as absent. */
const valueOf = (source: Source, name: string): string | undefined => {
  const value = source[name]?.trim() ?? '';
  return value === '' ? undefined : value;
};

/**
 * Returns a mistake if a secret is in quotes, or has a character other than printable ASCII. Such a character cannot be sent in a header: each call
 * would fail as if the network were down.
 */
const unusable = (source: Source, name: string): string[] => {
  const value = valueOf(source, name) ?? '';
  if (/^(["']).*\1$/s.test(value)) return [`${name} is in quotes: remove them (docker --env-file keeps them, a shell does not)`];
  return /^[\x20-\x7e]*$/.test(value) ? [] : [`${name} contains a line break or another character that a secret cannot have`];
};

const appSecrets = (text: string): string[] =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');

/** Returns whether a text is a secret of Standard Webhooks: `whsec_` (or nothing) and padded base64 of 24 to 64 bytes. */
const isAppSecret = (text: string): boolean => {
  try {
    const { length } = base64.decode(text.replace(/^whsec_/, ''));
    return length >= 24 && length <= 64;
  } catch {
    return false;
  }
};

const readKey = (text: string): NamedKey | undefined => {
  const [, id, encoded] = /^([\w-]{1,32}):([A-Za-z0-9+/]{43}=)$/.exec(text) ?? [];
  return id === undefined || encoded === undefined ? undefined : { id, key: base64.decode(encoded) };
};

/** Returns every variable that the configuration names (`*_env`), with the path of the setting that names it. Leaves out providers that are off. */
const namedVariables = (config: Pick<GatewayConfig, 'apps' | 'providers'>): { path: string; variable: string }[] => {
  const apps = Object.entries(config.apps).flatMap(([id, app]) =>
    app.webhook_secret_env === undefined ? [] : [{ path: `apps.${id}.webhook_secret_env`, variable: app.webhook_secret_env }],
  );
  const providers = config.providers.flatMap((provider) =>
    provider.mode === 'off'
      ? []
      : Object.entries(provider.settings ?? {}).flatMap(([name, value]) =>
          name.endsWith('_env') && typeof value === 'string' ? [{ path: `providers.${provider.id}.${name}`, variable: value }] : [],
        ),
  );
  return [...apps, ...providers];
};

/**
 * Makes a new key in the form that readSecrets reads. Its id has random letters, because sealed values and signatures name their key by its id: if
 * two keys had the same id, no gateway could use both, and what one of them has sealed would be lost.
 */
export const freshKey = (letter: string, number: number, randomBytes: (n: number) => Uint8Array): string => {
  const letters = Array.from(randomBytes(6), (byte) => String.fromCodePoint(97 + (byte % 26))).join('');
  return `${letter}${number}-${letters}:${base64.encode(randomBytes(32))}`;
};

export const freshSecrets = (randomBytes: (n: number) => Uint8Array): Record<'SEAL_KEY' | 'NOTICE_KEY' | 'WEBHOOK_SIGNING_KEY', string> => ({
  SEAL_KEY: freshKey('s', 1, randomBytes),
  NOTICE_KEY: freshKey('n', 1, randomBytes),
  WEBHOOK_SIGNING_KEY: freshKey('w', 1, randomBytes),
});

const privateName = /^(?:localhost|.*\.(?:localhost|local|internal|lan))$/;
const isPrivate = (hostname: string): boolean => {
  const host = hostname.replace(/^\[|\]$/g, '');
  return isAddress(host) ? !isPublicAddress(host) : privateName.test(host.replace(/\.$/, ''));
};

/** Returns every address in a provider's block (`base_url`, `…_base_url`), with the path of its setting. */
const addressesOf = ({ id, base_url, settings }: GatewayConfig['providers'][number]): [path: string, url: URL][] =>
  Object.entries({ base_url, ...(settings as object | undefined) }).flatMap(([name, value]: [string, unknown]) =>
    name.endsWith('base_url') && typeof value === 'string' ? [[`providers.${id}.${name}`, new URL(value)]] : [],
  );

/**
 * Returns the reasons why a provider cannot be used in live mode, one line each. A provider that is off must be as safe as one that is on: an
 * operator can switch it on while the gateway runs, a stored switch may do so at the start, and its earlier orders are read at its address. To
 * turn a provider off never makes this check fail: what was safe while the provider was on is safe while it is off.
 */
const checkProvider = (provider: GatewayConfig['providers'][number]): string[] => {
  const path = `providers.${provider.id}`;
  const mistakes = provider.sandbox ? [`${path}: a sandbox provider cannot be used in live mode`] : [];
  for (const [setting, { protocol, hostname }] of addressesOf(provider)) {
    if (protocol !== 'https:') mistakes.push(`${setting}: live mode needs https`);
    if (isPrivate(hostname)) mistakes.push(`${setting}: "${hostname}" is a private address`);
  }
  if (mistakes.length > 0 && provider.mode === 'off')
    mistakes.push(`${path} is off, but could be switched on while the gateway runs: remove the block, or correct it`);
  return mistakes;
};

/** Returns the reasons why the gateway refuses to start in this mode, one line each. */
export const checkMode = (config: GatewayConfig, source: Source): string[] => {
  if (config.mode !== 'live')
    return config.network === 'main' ? ['network: main is real money, which needs mode: live; the sandbox is for regtest, signet and test'] : [];
  const mistakes: string[] = [];
  if (!config.public_url.startsWith('https://')) mistakes.push('public_url: live mode needs https (PUBLIC_URL overrides the configuration)');
  if (config.pages.console_host === new URL(config.public_url).host)
    mistakes.push('pages.console_host is the host of public_url, but the console needs a host that serves nothing public');
  if (config.network === 'regtest') mistakes.push('network: live mode uses real providers, and none of them pays on regtest');
  if (valueOf(source, 'DATABASE_URL') === undefined) mistakes.push('DATABASE_URL is missing: live mode needs a PostgreSQL database');
  // On Workers, this variable replaces each base_url.
  if (valueOf(source, 'SANDBOX_URLS') !== undefined) mistakes.push('SANDBOX_URLS replaces the addresses of providers, which only the sandbox may: remove it');
  mistakes.push(...config.providers.flatMap(checkProvider));
  for (const [currency, { feeds = [] }] of Object.entries(config.routing.reference ?? {}))
    for (const { name, url } of feeds) {
      const { protocol, hostname } = new URL(url);
      if (protocol !== 'https:') mistakes.push(`routing.reference.${currency}: the feed ${name} needs https in live mode`);
      if (isPrivate(hostname)) mistakes.push(`routing.reference.${currency}: the feed ${name} is at "${hostname}", a private address`);
    }
  return mistakes;
};
