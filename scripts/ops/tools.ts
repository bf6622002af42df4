/** What the operator's commands share: the database, who is asking, and output for people. */
import { existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import type { Sql } from 'postgres';
import '../load-env.ts';
import { readEnv } from '../../src/config/env.ts';
import { parseConfig, type GatewayConfig } from '../../src/config/providers-config.ts';
import { readDatabaseUrl } from '../../src/config/database-url.ts';
import { errorText } from '../../src/domain/error-text.ts';
import { isStorageDown } from '../../src/ports/storage-down.ts';
import { sqlState } from '../../src/store/database.ts';
import { connect } from '../../src/entry/database-node.ts';
import type { Stores } from '../../src/ports/stores.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';
import { createStores } from '../../src/store/stores.ts';

/**
 * Matches characters that terminals obey instead of showing, or that change the writing direction: providers and customers write some of the texts.
 */
const COMMANDS = /(?![\n\t])[\p{Cc}\p{Cf}]/gu;
export const say = (text: string): void => void process.stdout.write(`${text.replaceAll(COMMANDS, '')}\n`);
/** Puts a provider's words on one line, so that they cannot look like a line of the command's own. */
export const onOneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ');
/** Thrown to end a command: only its message is printed, with exit code 1. */
export class Refused extends Error {}

export type Ops = {
  sql: Sql;
  url: string;
  stores: Stores;
  actor: string;
  record: (action: string, subject: string, detail?: { [name: string]: string | number }) => Promise<void>;
};

/** Returns who runs the command, for the table of actions. In a container everybody is the same user, so OPERATOR may name the person. */
const actorOf = (): string => {
  const { OPERATOR: named = '' } = process.env;
  if (named !== '' && !/^[\w.@-]{1,64}$/.test(named)) throw new Refused('OPERATOR must be a name of letters, digits and ._@-, of at most 64 characters');
  if (named !== '') return `cli:${named}`;
  try {
    return `cli:${userInfo().username}`;
  } catch {
    return 'cli';
  }
};

/** Runs `work` with the database at DATABASE_URL. A gateway's embedded database cannot be used here: it belongs to the gateway's own process. */
export const withDatabase = async <T>(work: (ops: Ops) => Promise<T>, url = process.env['DATABASE_URL'] ?? ''): Promise<T> => {
  if (url === '') throw new Refused("DATABASE_URL is not set: this command needs the gateway's PostgreSQL database (with the embedded database, use /console)");
  const read = readDatabaseUrl(url);
  if (!read.ok) throw new Refused(`DATABASE_URL ${read.mistake}`);
  const sql = connect(url, 1);
  try {
    const stores = createStores(sql, { grouped: false, migrated: async () => await Promise.resolve(true) });
    const actor = actorOf();
    const record: Ops['record'] = async (action, subject, detail) =>
      await stores.operator.record({ at: Date.now(), actor, action, subject, ...(detail ? { detail } : {}) });
    return await work({ sql, url, stores, actor, record });
  } catch (error) {
    throw refusedByDatabase(error) ?? error;
  } finally {
    await sql.end({ timeout: 5 });
  }
};

/** Describes an error of the database in one line. Never shows the statement, which contains parameters. */
const refusedByDatabase = (error: unknown): Refused | undefined => {
  if (error instanceof Refused) return undefined;
  if (isStorageDown(error)) return new Refused(`the database does not answer: ${errorText(error)}`);
  return sqlState(error) === undefined ? undefined : new Refused(`the database refused: ${errorText(error)}`);
};

export const readConfig = (): { config: GatewayConfig; file: string; text: string } => {
  const env = readEnv(process.env);
  if (!env.ok) throw new Refused(env.mistakes.join('\n'));
  const file = env.env.CONFIG_FILE;
  if (!existsSync(file)) throw new Refused(`${file}: there is no such file (CONFIG_FILE names it)`);
  const text = readFileSync(file, 'utf8');
  const parsed = parseConfig(text, { fileName: file, modules: providerModules, publicUrl: env.env.PUBLIC_URL });
  if (!parsed.ok) throw new Refused(parsed.mistakes.join('\n'));
  return { config: parsed.config, file, text };
};

/** Runs a command. Prints only the message of a refusal, and an unexpected error with its stack. */
export const command = async (work: () => Promise<void>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    process.stderr.write(`${refusalOf(error)}\n`);
    process.exitCode = 1;
  }
};

const refusalOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'unknown';
  const isMisused = 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  return error instanceof Refused || isMisused ? error.message : (error.stack ?? error.message);
};

/**
 * Reads `--name` (the options in `plain`), `--name value` and `--name=value` (those in `valued`). Arguments without dashes are words. Any other
 * option is refused: a command that ignored a misspelt option, or took the next option for a value, would not do what it was asked to do.
 */
export const readArguments = (
  given: readonly string[],
  { plain = [], valued = [] }: { plain?: readonly string[]; valued?: readonly string[] } = {},
): { words: string[]; flags: Map<string, string> } => {
  const options = Object.fromEntries([
    ...plain.map((name) => [name, { type: 'boolean' }] as const),
    ...valued.map((name) => [name, { type: 'string' }] as const),
  ]);
  const names = [...plain, ...valued].map((name) => `--${name}`).join(', ');
  const flags = new Map<string, string>();
  const { positionals, tokens } = parseArgs({ args: [...given], allowPositionals: true, strict: false, tokens: true, options });
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue: isInline } = token;
    if (!Object.hasOwn(options, name)) throw new Refused(`${rawName} is not an option of this command: it has ${names || 'none'}`);
    if (plain.includes(name) && value !== undefined) throw new Refused(`${rawName} takes no value`);
    const isMissing = value === undefined || (value.startsWith('--') && !isInline);
    if (valued.includes(name) && isMissing) throw new Refused(`${rawName} needs a value. A value that begins with "--" is given as ${rawName}=<value>`);
    if (flags.has(name)) throw new Refused(`${rawName} is given twice`);
    flags.set(name, value ?? '');
  }
  return { words: positionals, flags };
};
