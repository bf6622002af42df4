/**
 * Reads a DATABASE_URL, without a driver, in the forms in which hosting services give it out. Each parameter is either obeyed, ignored because it
 * changes nothing, passed on as a setting of the server, or refused by its name. No message shows a part of the URL, because it contains a password.
 */
export type DatabaseAddress = {
  /** The hosts, tried one after the other. A host that is a folder means a Unix socket. */
  hosts: readonly { host: string; port: number }[];
  user: string | undefined;
  password: string | undefined;
  database: string | undefined;
  /** `verify-ca` checks the server's certificate chain, but not the name in the certificate. */
  ssl: false | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
  sslnegotiation: 'postgres' | 'direct' | undefined;
  /** The paths of the files with the certificates and the key. */
  files: { ca?: string; cert?: string; key?: string };
  /** False if the URL forbids prepared statements. A pooler can forbid them as well: see database-node.ts. */
  prepare: boolean;
  connectTimeoutS: number | undefined;
  keepAliveS: number | undefined;
  sessionAttrs: 'read-write' | 'primary' | undefined;
  /** Settings that are sent to the server when a connection begins: statement_timeout, options, … */
  settings: Record<string, string>;
};
type Read = { ok: true; address: DatabaseAddress } | { ok: false; mistake: string };

class Mistake extends Error {}

const unreadable =
  'cannot be read as a URL: percent-encode special characters in its user and password (% is %25, / is %2F, # is %23, ? is %3F, @ is %40, : is %3A)';

export const readDatabaseUrl = (given: string): Read => {
  try {
    return { ok: true, address: read(given.trim()) };
  } catch (error) {
    if (error instanceof Mistake) return { ok: false, mistake: error.message };
    // The URL does not parse. The error is not shown, because it quotes the URL.
    return { ok: false, mistake: unreadable };
  }
};

const read = (text: string): DatabaseAddress => {
  if (/^["']/.test(text)) throw new Mistake('is in quotes: remove them (docker --env-file keeps them, a shell does not)');
  const [, authority, rest = ''] = /^postgres(?:ql)?:\/\/([^/?#]*)(.*)$/s.exec(text) ?? [];
  if (authority === undefined) throw new Mistake('must begin with postgres://');
  const at = authority.lastIndexOf('@');
  const [user, password] = split(authority.slice(0, Math.max(0, at)), ':').map(decodeURIComponent);
  // Only the path and the parameters are read from this URL, so any host will do.
  const url = new URL(`postgres://host${rest}`);
  if (url.hash !== '' || url.pathname.includes('@') || /[\s#]/.test(rest)) throw new Mistake(unreadable);
  const parameters = new Map(url.searchParams);
  for (const name of parameters.keys()) if (!/^[a-z_][\w.]*$/i.test(name)) throw new Mistake(unreadable);
  const take = (name: string): string | undefined => {
    const value = parameters.get(name);
    parameters.delete(name);
    return value === '' ? undefined : value;
  };
  refuseDemands(parameters);
  const address = {
    hosts: hostsOf(authority.slice(at + 1), take('host') ?? take('hostaddr'), take('port')),
    user: take('user') ?? (user === '' ? undefined : user),
    password: take('password') ?? password,
    database: take('dbname') ?? (url.pathname.length > 1 ? decodeURIComponent(url.pathname.slice(1)) : undefined),
    ...security(take),
    prepare: prepareOf(take),
    connectTimeoutS: seconds('connect_timeout', take('connect_timeout')),
    keepAliveS: keepAliveOf(take),
    sessionAttrs: sessionAttrsOf(take('target_session_attrs')),
  };
  for (const name of needNothing) parameters.delete(name);
  return { ...address, settings: Object.fromEntries(parameters) };
};

const split = (text: string, by: string): string[] => {
  const at = text.indexOf(by);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
};

const hostsOf = (authority: string, named: string | undefined, port: string | undefined): DatabaseAddress['hosts'] =>
  (named ?? authority).split(',').map((one) => {
    const [, host = '', own] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(one) ?? [];
    const number = own ?? port ?? '5432';
    if (host === '' && named === undefined && authority !== '' && own === undefined) throw new Mistake(unreadable);
    if (!/^\d{1,5}$/.test(number) || Number(number) < 1 || Number(number) > 65_535) throw new Mistake(unreadable);
    return { host: decodeURIComponent(host === '' ? 'localhost' : host.replace(/^\[|\]$/g, '')), port: Number(number) };
  });

const sslModes = { disable: false, allow: 'prefer', prefer: 'prefer', require: 'require', 'verify-ca': 'verify-ca', 'verify-full': 'verify-full' } as const;

/** Reads the TLS parameters as libpq does: with a root certificate, `require` means `verify-ca`. */
const security = (take: (name: string) => string | undefined): Pick<DatabaseAddress, 'ssl' | 'sslnegotiation' | 'files'> => {
  const mode = take('sslmode') ?? take('ssl');
  const modes: Record<string, DatabaseAddress['ssl']> = { ...sslModes, true: 'require', false: false };
  const root = take('sslrootcert');
  const [cert, key] = [take('sslcert'), take('sslkey')];
  const asked = mode === undefined ? (root === 'system' ? 'verify-full' : root === undefined && cert === undefined ? false : 'prefer') : modes[mode];
  if (asked === undefined) throw new Mistake(`has an unknown sslmode, allowed: ${Object.keys(sslModes).join(', ')}`);
  const negotiation = take('sslnegotiation');
  if (negotiation !== undefined && negotiation !== 'postgres' && negotiation !== 'direct')
    throw new Mistake('has an unknown sslnegotiation, allowed: postgres, direct');
  const file = root === 'system' ? undefined : root;
  return {
    ssl: root === 'system' && asked !== false ? 'verify-full' : file !== undefined && asked === 'require' ? 'verify-ca' : asked,
    sslnegotiation: negotiation,
    files: { ...(file === undefined ? {} : { ca: file }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) },
  };
};

const isNo = (value: string): boolean => /^(?:false|no|off|0)$/i.test(value);

/** Returns whether the URL allows prepared statements. `pgbouncer=true` is Prisma's name for forbidding them. */
const prepareOf = (take: (name: string) => string | undefined): boolean => {
  const [prepare, pooler] = [take('prepare'), take('pgbouncer')];
  return (prepare === undefined || !isNo(prepare)) && (pooler === undefined || isNo(pooler));
};

const seconds = (name: string, value: string | undefined): number | undefined => {
  if (value === undefined) return undefined;
  if (!/^\d{1,6}$/.test(value)) throw new Mistake(`has a ${name} that is not a number of seconds`);
  return Number(value);
};

const keepAliveOf = (take: (name: string) => string | undefined): number | undefined => {
  const [on, idle] = [take('keepalives'), take('keepalives_idle')];
  return on !== undefined && isNo(on) ? 0 : seconds('keepalives_idle', idle);
};

const sessionAttrsOf = (value: string | undefined): DatabaseAddress['sessionAttrs'] => {
  if (value === undefined || value === 'any') return undefined;
  if (value === 'read-write' || value === 'primary') return value;
  throw new Mistake('has a target_session_attrs that finds no writable server, allowed: read-write, primary, any');
};

/**
 * Parameters of libpq and of other drivers that are ignored. Either they ask for what is already the case, or they have no counterpart here and no
 * check is lost without them.
 */
const needNothing = [
  'channel_binding',
  'gssencmode',
  'schema',
  'client_encoding',
  'fallback_application_name',
  'keepalives_interval',
  'keepalives_count',
  'tcp_user_timeout',
  'load_balance_hosts',
  'sslcompression',
  'sslsni',
  'gssdelegation',
  'krbsrvname',
  'gsslib',
  'passfile',
  'pool_timeout',
  'socket_timeout',
  'statement_cache_size',
  'prepareThreshold',
  'fetch_types',
  'debug',
  'serverVersion',
  'charset',
];

/** Parameters that are refused unless their value changes nothing: an operator may rely on them, and the driver would not do what they ask. */
const demands: Record<string, { unless: RegExp; says: string }> = {
  channel_binding: {
    unless: /^(?:prefer|disable)?$/,
    says: 'demands channel_binding, which this driver does not have: leave it out, and use sslmode=verify-full to verify the server',
  },
  gssencmode: { unless: /^(?:prefer|disable)?$/, says: 'demands gssencmode, which this driver does not have: leave it out and use sslmode' },
  schema: { unless: /^(?:public)?$/, says: 'names a schema, but the tables are in the public schema: leave it out' },
  search_path: { unless: /^(?:public|"\$user",\s*public)?$/, says: 'names a search_path, but the tables are in the public schema: leave it out' },
  client_encoding: { unless: /^(?:auto|utf-?8|unicode)?$/i, says: 'names a client_encoding: leave it out, it is always UTF8' },
  require_auth: { unless: /^$/, says: 'demands require_auth, which this driver does not have: leave it out, and set the method in pg_hba.conf' },
  requirepeer: { unless: /^$/, says: 'demands requirepeer, which this driver does not have: leave it out' },
  sslcrl: { unless: /^$/, says: 'names an sslcrl, which this driver does not read: leave it out' },
  sslcrldir: { unless: /^$/, says: 'names an sslcrldir, which this driver does not read: leave it out' },
  sslpassword: { unless: /^$/, says: 'has an sslpassword: use a key without a password in sslkey' },
  ssl_min_protocol_version: {
    unless: /^(?:TLSv1\.2)?$/,
    says: 'demands an ssl_min_protocol_version, which this driver cannot set: leave it out (it uses TLSv1.2 or newer)',
  },
  service: { unless: /^$/, says: 'names a service: write its settings into the URL instead' },
  servicefile: { unless: /^$/, says: 'names a servicefile: write its settings into the URL instead' },
  replication: { unless: /^(?:false|no|off|0)?$/, says: 'asks for replication: leave it out' },
  connection_limit: { unless: /^$/, says: 'has a connection_limit: set DATABASE_POOL instead' },
  max: { unless: /^$/, says: 'has a max: set DATABASE_POOL instead' },
  pool_size: { unless: /^$/, says: 'has a pool_size: set DATABASE_POOL instead' },
};

const refuseDemands = (parameters: Map<string, string>): void => {
  for (const [name, { unless, says }] of Object.entries(demands)) {
    const value = parameters.get(name);
    if (value === undefined) continue;
    if (!unless.test(value)) throw new Mistake(says);
    parameters.delete(name);
  }
};
