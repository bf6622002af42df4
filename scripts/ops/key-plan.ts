/** Makes new keys, and plans which variables and settings to change. Reads only the environment and configuration given, and changes nothing. */
import { randomBytes } from 'node:crypto';
import { base64 } from '@scure/base';
import type { GatewayConfig } from '../../src/config/providers-config.ts';
import { freshKey } from '../../src/config/secrets.ts';
import { sha256Hex } from '../../src/seal/hash.ts';
import { called } from './called.ts';
import { Refused } from './tools.ts';

export type Variables = Record<string, string>;
/** `variables` are for the environment (or `wrangler secret bulk`), `yaml` for the configuration file, `say` for the person who runs the command. */
export type Plan = { say: string[]; variables: Variables; yaml?: string };
type Source = Record<string, string | undefined>;

/** The kinds of keys of the form `id:base64`, each with an `_OLD` list. `spread`: whether every instance must know a new key before any uses it. */
export const environmentKinds = {
  seal: { variable: 'SEAL_KEY', letter: 's', spread: true, what: 'seals and opens every secret in the database' },
  notice: { variable: 'NOTICE_KEY', letter: 'n', spread: true, what: 'makes the URLs that providers call' },
  webhook: { variable: 'WEBHOOK_SIGNING_KEY', letter: 'w', spread: false, what: 'signs webhooks to wallets' },
} as const;
export type EnvironmentKind = keyof typeof environmentKinds;
export const isEnvironmentKind = (kind: string): kind is EnvironmentKind => Object.hasOwn(environmentKinds, kind);

/** Returns a key's id, to be shown. For a key without a colon, returns a substitute, so that the key itself is never shown. */
export const idOf = (key: string): string => /^([^:]*):/.exec(key)?.[1] ?? '(a key without an id)';
export const keysOf = (source: Source, variable: string): { current: string; old: string[] } => ({
  current: (source[variable] ?? '').trim(),
  old: (source[`${variable}_OLD`] ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== ''),
});
const noOldKey = (variable: string, old: readonly string[], id: string): Refused =>
  new Refused(`${variable}_OLD has no key "${id}": it has ${old.map(idOf).join(', ') || 'none'}`);
const lines = (variable: string, current: string, old: readonly string[]): Variables => ({ [variable]: current, [`${variable}_OLD`]: old.join(',') });

/** Adds a new key. With `to`, adds none: it makes the key with that id, which an earlier run added, the current one. */
export const rotateEnvironment = (kind: EnvironmentKind, source: Source, to: string | undefined): Plan => {
  const { variable, letter, spread } = environmentKinds[kind];
  const { current, old } = keysOf(source, variable);
  if (current === '') throw new Refused(`${variable} is not set: ${called('keys', 'init')} prints a new one`);
  if (to !== undefined) {
    const chosen = old.find((one) => idOf(one) === to);
    if (chosen === undefined) throw noOldKey(variable, old, to);
    const rest = [current, ...old.filter((one) => one !== chosen)];
    return {
      variables: lines(variable, chosen, rest),
      say: [`Step 2. "${to}" becomes the current key; the others still work. Restart every instance.`, ...afterwards(kind, idOf(current))],
    };
  }
  const used = [current, ...old].map(idOf);
  const next = Math.max(0, ...used.map((id) => Number(/\d+/.exec(id)?.[0] ?? 0))) + 1;
  const fresh = freshKey(letter, next, randomBytes);
  if (spread)
    return {
      variables: lines(variable, current, [fresh, ...old]),
      say: [
        `Step 1. Every instance must know "${idOf(fresh)}" before any instance uses it. Restart every instance with these variables, then:`,
        `  ${called('keys', `rotate ${kind} --to ${idOf(fresh)}`)}`,
      ],
    };
  return {
    variables: lines(variable, fresh, [current, ...old]),
    say: [
      `"${idOf(fresh)}" signs together with "${idOf(current)}": receivers that know either key accept the webhooks. Restart every instance.`,
      ...afterwards(kind, idOf(current)),
    ],
  };
};

const afterwards = (kind: EnvironmentKind, old: string): string[] => {
  if (kind === 'seal') return ['Then, with the new environment:', `  ${called('keys', 'reseal')}`, `  ${called('keys', `retire seal ${old}`)}`];
  if (kind === 'webhook')
    return [
      'Receivers may cache the list of keys for five minutes. A day after the restart (at once if the key leaked):',
      `  ${called('keys', `retire webhook ${old}`)}`,
    ];
  return [
    'Without the old key, orders and accounts whose URLs it made are updated by polling only. Once all orders that are open today are final:',
    `  ${called('keys', `retire notice ${old}`)}`,
  ];
};

export const retireEnvironment = (kind: EnvironmentKind, source: Source, id: string | undefined): Plan => {
  const { variable } = environmentKinds[kind];
  const { current, old } = keysOf(source, variable);
  const [only] = old;
  const chosen = id === undefined && old.length === 1 ? only : old.find((one) => idOf(one) === id);
  if (chosen === undefined) {
    if (id !== undefined && idOf(current) === id) throw new Refused(`"${id}" is the current key: run ${called('keys', `rotate ${kind}`)} first`);
    if (only === undefined) throw new Refused(`there is no old key to retire: ${variable}_OLD is empty`);
    throw id === undefined ? new Refused(`name the key to retire: ${variable}_OLD has ${old.map(idOf).join(', ')}`) : noOldKey(variable, old, id);
  }
  return {
    variables: lines(
      variable,
      current,
      old.filter((one) => one !== chosen),
    ),
    say: [`"${idOf(chosen)}" no longer works once every instance runs with these variables.`],
  };
};

// ---- tokens, stored as hashes in the configuration -------------------------------------------------------------------------------------

const hashesOf = (config: GatewayConfig, kind: 'operator' | 'app', app: string): readonly string[] => {
  if (kind === 'operator') return config.operator.token_hashes;
  const known = Object.hasOwn(config.apps, app) ? config.apps[app] : undefined;
  if (known) return known.key_hashes;
  const apps = Object.keys(config.apps).join(', ') || 'none';
  throw new Refused(`there is no app "${app}" in the configuration: it has ${apps}. List a new app there first, as "${app}: {}" under apps`);
};
const yamlOf = (kind: 'operator' | 'app', app: string, hashes: readonly string[]): string => {
  const list = (indent: string): string => (hashes.length === 0 ? ' []' : hashes.map((hash) => `\n${indent}- ${hash}`).join(''));
  return kind === 'operator' ? `operator:\n  token_hashes:${list('    ')}` : `apps:\n  ${app}:\n    key_hashes:${list('      ')}`;
};

export const rotateHashed = (kind: 'operator' | 'app', config: GatewayConfig, app: string): Plan & { token: string } => {
  const token = `${kind === 'operator' ? 'op' : 'app'}_${randomBytes(32).toString('base64url')}`;
  const hashes = hashesOf(config, kind, app);
  return {
    token,
    variables: {},
    yaml: yamlOf(kind, app, [sha256Hex(token), ...hashes]),
    say: [
      'The new token is shown once and stored nowhere:',
      `  ${token}`,
      'Put its hash into the configuration, next to the old hashes, and restart (Workers: deploy):',
      ...(hashes.length === 0
        ? []
        : [`When nobody uses the old token: ${called('keys', `retire ${kind}${app === '' ? '' : ` ${app}`} <first characters of its hash>`)}`]),
    ],
  };
};

export const retireHashed = (kind: 'operator' | 'app', config: GatewayConfig, app: string, prefix: string | undefined): Plan => {
  const hashes = hashesOf(config, kind, app);
  const chosen = hashes.filter((hash) => prefix !== undefined && prefix.length >= 4 && hash.startsWith(prefix));
  if (chosen.length !== 1)
    throw new Refused(
      `name one key by the first characters (at least 4) of its hash: ${hashes.map((hash) => hash.slice(0, 8)).join(', ') || 'there are none'}`,
    );
  const rest = hashes.filter((hash) => hash !== chosen[0]);
  if (kind === 'app' && rest.length === 0) throw new Refused(`this is the only key of "${app}": rotate first, or remove the whole app from the configuration`);
  return {
    variables: {},
    yaml: yamlOf(kind, app, rest),
    say: ['Put this into the configuration and restart (Workers: deploy). After that, the token no longer works:'],
  };
};

// ---- secrets with their own variables -------------------------------------------------------------------------------------------------

/** Sets the variable to `NEW,OLD`, so that both secrets sign until the old one is retired. If there was no secret, sets it to `NEW`. */
export const rotateAppWebhook = (config: GatewayConfig, source: Source, app: string): Plan => {
  const variable = config.apps[app]?.webhook_secret_env;
  if (variable === undefined) throw new Refused(`apps.${app} names no webhook_secret_env`);
  const fresh = `whsec_${base64.encode(randomBytes(32))}`;
  const [current] = (source[variable] ?? '').split(',');
  return {
    variables: { [variable]: [fresh, current?.trim() ?? ''].filter((one) => one !== '').join(',') },
    say: [`Give "${app}" the new secret, which is the first. Both secrets sign until: ${called('keys', `retire app-webhook ${app}`)}`],
  };
};
export const retireAppWebhook = (config: GatewayConfig, source: Source, app: string): Plan => {
  const variable = config.apps[app]?.webhook_secret_env;
  const [current] = (source[variable ?? ''] ?? '').split(',');
  if (variable === undefined || current === undefined || current.trim() === '') throw new Refused(`apps.${app} has no webhook secret`);
  return { variables: { [variable]: current.trim() }, say: ['Only the first secret signs from now on. Restart every instance.'] };
};

/** Returns the variables that hold a provider's credentials: the `*_env` settings of its block. */
export const credentialsOf = (config: GatewayConfig, providerId: string): { setting: string; variable: string }[] => {
  const provider = config.providers.find((one) => one.id === providerId);
  if (!provider) throw new Refused(`there is no provider "${providerId}": ${config.providers.map((one) => one.id).join(', ')}`);
  return Object.entries(provider.settings ?? {}).flatMap(([setting, value]) =>
    setting.endsWith('_env') && typeof value === 'string' ? [{ setting, variable: value }] : [],
  );
};
export const rotateProvider = (config: GatewayConfig, providerId: string): Plan => {
  const names = credentialsOf(config, providerId);
  if (names.length === 0) return { variables: {}, say: [`${providerId} has no credentials in the configuration, so there is nothing to replace.`] };
  return {
    variables: Object.fromEntries(names.map(({ variable }) => [variable, '<the new value, from the provider>'])),
    say: [
      `1. Ask ${providerId} for a second value, while the first keeps working. If the provider allows only one: POST /operator/providers/${providerId} {"mode":"drain"} first.`,
      '2. Set the new value, and restart one instance after the other. Each uses the value it started with; orders continue.',
      `3. ${called('provider:check', providerId)}, then ask the provider to disable the old value.`,
    ],
  };
};
