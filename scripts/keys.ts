/**
 * `npm run keys -- init|list|rotate|retire|notice-url|reseal`: makes new keys. Prints which variables and settings to change when a key is
 * replaced: as .env lines or, with --json, for `wrangler secret bulk`. Changes no file; only `reseal` writes to the database.
 */
import './load-env.ts';
import { randomBytes } from 'node:crypto';
import { freshSecrets, readNoticeKeys, readSealKeys } from '../src/config/secrets.ts';
import { noticeUrl } from '../src/gateway/notice-url.ts';
import { createNoticeTokens } from '../src/seal/hash.ts';
import { createSeal } from '../src/seal/seal.ts';
import { called, isInImage } from './ops/called.ts';
import * as plan from './ops/key-plan.ts';
import { countByKey, reseal } from './ops/reseal.ts';
import { command, readArguments, readConfig, Refused, say, withDatabase } from './ops/tools.ts';

const usage = [
  'init [--json]',
  'list',
  'rotate seal|notice|webhook [--to <id>] [--json]',
  'rotate operator | app <id> | app-webhook <id> | provider <id>',
  'retire seal|notice|webhook [<id>] [--json] | operator <hash…> | app <id> <hash…> | app-webhook <id>',
  'notice-url <provider>',
  'reseal',
]
  .map((words, n) => `${n === 0 ? 'usage: ' : '       '}${called('keys', words)}`)
  .join('\n');

const showVariables = (variables: plan.Variables, json: boolean): void => {
  if (Object.keys(variables).length === 0) return;
  const env = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  say(json ? JSON.stringify(variables, undefined, 2) : env.join('\n'));
};
const show = (made: plan.Plan, json: boolean): void => {
  // Otherwise a new token would be lost: it is printed only in the sentences, which --json leaves out.
  if (json && Object.keys(made.variables).length === 0) throw new Refused('--json prints variables, but this command changes none: leave --json out');
  if (!json) say(`${made.say.join('\n')}\n`);
  if (made.yaml !== undefined) say(made.yaml);
  showVariables(made.variables, json);
  if (!json && !isInImage() && Object.keys(made.variables).length > 0)
    say(
      '\nOn Workers, use the output of `npm run -s keys -- … --json > <file>` instead of the above (each run makes a new key), then: npx wrangler secret bulk <file>',
    );
};

const rotate = (kind: string, name: string, to: string | undefined): plan.Plan => {
  const takesNoName = plan.isEnvironmentKind(kind) || kind === 'operator';
  if ((takesNoName && name !== '') || (to !== undefined && !plan.isEnvironmentKind(kind))) throw new Refused(usage);
  if (plan.isEnvironmentKind(kind)) return plan.rotateEnvironment(kind, process.env, to);
  const { config } = readConfig();
  if (kind === 'operator' || (kind === 'app' && name !== '')) return plan.rotateHashed(kind, config, name);
  if (kind === 'app-webhook' && name !== '') return plan.rotateAppWebhook(config, process.env, name);
  if (kind === 'provider' && name !== '') return plan.rotateProvider(config, name);
  throw new Refused(usage);
};

const retire = async (kind: string, rest: readonly string[]): Promise<plan.Plan> => {
  const [first = '', second] = rest;
  if (plan.isEnvironmentKind(kind)) {
    const made = plan.retireEnvironment(kind, process.env, rest[0]);
    if (kind === 'seal') await refuseWhileUsed(made);
    return made;
  }
  const { config } = readConfig();
  if (kind === 'operator') return plan.retireHashed(kind, config, '', first);
  if (kind === 'app' && first !== '') return plan.retireHashed(kind, config, first, second);
  if (kind === 'app-webhook' && first !== '') return plan.retireAppWebhook(config, process.env, first);
  throw new Refused(usage);
};

/** Refuses to retire a sealing key while any value is sealed under it: no other key can open that value. */
const refuseWhileUsed = async (made: plan.Plan): Promise<void> => {
  const { current, old } = plan.keysOf(made.variables, 'SEAL_KEY');
  const kept = new Set([current, ...old].map((key) => key.split(':')[0]));
  const counts = await withDatabase(async ({ sql }) => await countByKey(sql));
  const lost = [...counts].filter(([id]) => !kept.has(id));
  if (lost.length > 0)
    throw new Refused(`${lost.map(([id, n]) => `${n} values are still sealed under "${id}"`).join(', ')}. First run ${called('keys', 'reseal')}`);
};

const list = async (): Promise<void> => {
  for (const [kind, { variable, what }] of Object.entries(plan.environmentKinds)) {
    const { current, old } = plan.keysOf(process.env, variable);
    say(
      `${kind.padEnd(12)} ${variable}: current ${current === '' ? 'NOT SET' : plan.idOf(current)}, also accepted ${old.map(plan.idOf).join(', ') || 'none'} (${what})`,
    );
  }
  const { config } = readConfig();
  const hashes = (all: readonly string[]): string => all.map((hash) => hash.slice(0, 8)).join(', ') || 'none';
  say(`operator     ${hashes(config.operator.token_hashes)}`);
  for (const [id, app] of Object.entries(config.apps)) {
    say(`app          ${id}: ${hashes(app.key_hashes)}`);
    if (app.webhook_secret_env !== undefined)
      say(
        `app-webhook  ${id}: ${app.webhook_secret_env}, ${(process.env[app.webhook_secret_env] ?? '').split(',').filter((one) => one.trim() !== '').length} secret(s)`,
      );
  }
  for (const provider of config.providers)
    for (const { setting, variable } of plan.credentialsOf(config, provider.id))
      say(`provider     ${provider.id}: ${setting} is ${variable}, ${(process.env[variable] ?? '') === '' ? 'NOT SET' : 'set'}`);
  if ((process.env['DATABASE_URL'] ?? '') === '') return;
  const counts = await withDatabase(async ({ sql }) => await countByKey(sql));
  say(`sealed       ${[...counts].map(([id, n]) => `${n} values under ${id}`).join(', ') || 'nothing'}`);
};

const resealAll = async (): Promise<void> => {
  const read = readSealKeys(process.env);
  if (!read.ok) throw new Refused(read.mistakes.join('\n'));
  const [current] = read.keys;
  if (!current) throw new Refused('SEAL_KEY is not set');
  await withDatabase(async ({ sql, record }) => {
    await record('keys.reseal', current.id);
    const done = await reseal(sql, createSeal(read.keys), current.id);
    say(`${done} values are now sealed under "${current.id}"`);
  });
};

/** Prints the notice URL for a provider that sends all notices to one URL. Whoever knows that URL can make the gateway poll, and nothing else. */
const showNoticeUrl = (id: string): void => {
  const { config } = readConfig();
  if (!config.providers.some((provider) => provider.id === id)) throw new Refused(id === '' ? usage : `there is no provider "${id}" in the configuration`);
  const read = readNoticeKeys(process.env);
  if (!read.ok) throw new Refused(read.mistakes.join('\n'));
  say(noticeUrl({ settings: config, notices: createNoticeTokens(read.keys.map(({ key }) => key)) }, id, 'provider', id));
};

await command(async () => {
  const { words, flags } = readArguments(process.argv.slice(2), { plain: ['json'], valued: ['to'] });
  const [verb = '', kind = '', ...rest] = words;
  const wordsOf: Record<string, number> = { init: 1, list: 1, reseal: 1, 'notice-url': 2, rotate: 3, retire: kind === 'app' ? 4 : 3 };
  if (words.length > (wordsOf[verb] ?? 0) || (flags.has('to') && verb !== 'rotate')) throw new Refused(usage);
  const json = flags.has('json');
  if (verb === 'init') showVariables({ ...freshSecrets(randomBytes), METRICS_TOKEN: randomBytes(24).toString('base64url') }, json);
  else if (verb === 'list') await list();
  else if (verb === 'rotate') show(rotate(kind, rest[0] ?? '', flags.get('to')), json);
  else if (verb === 'retire') show(await retire(kind, rest), json);
  else if (verb === 'notice-url') showNoticeUrl(kind);
  else if (verb === 'reseal') await resealAll();
  else throw new Refused(usage);
});
