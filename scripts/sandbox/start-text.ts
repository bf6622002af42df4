/** What `npm start` prints for people. */

type Started = {
  url: string;
  mode: string;
  network: string;
  /** The folder of the embedded database; undefined if the gateway uses a PostgreSQL server. */
  rows: string | undefined;
  /** The id of the gateway's process. */
  pid: number;
  /** `pid`: the process of a simulated provider; undefined for a provider that runs elsewhere. */
  providers: { id: string; what: string; url: string; mode: string | undefined; pid: number | undefined }[];
  /** The command that starts the demo in another terminal. */
  demo: string;
  /** The token that opens the console, if the sandbox made one. */
  operatorToken?: string | undefined;
};

/** Returns what is printed at the start: which process runs what, and what to do next. */
export const startText = ({ url, mode, network, rows, pid, providers, demo, operatorToken }: Started): string => {
  const wide = (of: (one: Started['providers'][number]) => string): number => Math.max(0, ...providers.map((one) => of(one).length));
  const [idWidth, whatWidth] = [wide(({ id }) => id), wide(({ what }) => what)];
  const line = (one: Started['providers'][number]): string =>
    `${one.id.padEnd(idWidth)}   ${one.what.padEnd(whatWidth)}   ${one.url}${one.mode === undefined || one.mode === 'on' ? '' : `   ${one.mode}`}`;
  const processes = Map.groupBy(providers, (one) => one.pid);
  const indented = ([of, those]: [number | undefined, Started['providers']]): string[] =>
    those.map((one, index) => `${(index === 0 && of !== undefined ? `pid ${of}` : '').padEnd(margin)}${line(one)}`);
  return [
    '',
    `ramp-gateway on ${url}   mode ${mode}, network ${network}`,
    '',
    `${`pid ${pid}`.padEnd(margin)}the gateway, data in ${rows === undefined ? 'PostgreSQL, from DATABASE_URL' : `${rows} (embedded PostgreSQL)`}`,
    ...[...processes].flatMap(indented),
    '',
    ...(mode === 'sandbox' ? sandboxHints(url, rows, demo, operatorToken) : [`every call: ${url}/docs`]),
    '',
  ].join('\n');
};

const margin = 12;

const sandboxHints = (url: string, rows: string | undefined, demo: string, operatorToken: string | undefined): string[] => {
  const commands = [
    [demo, 'one purchase, from offers to sats; demo sell, demo liquidity'],
    [`${url}/buy`, 'the same in a browser'],
    [`${url}/console`, `the operator's view${operatorToken === undefined ? '' : `; its token until this stops: ${operatorToken}`}`],
    [`curl -s ${url}/verify`, 'a session to begin with'],
    [`${url}/docs`, 'every call'],
    ['docs/sandbox.md', 'how to pay, the code to enter, amounts that make things go wrong'],
  ] as const;
  const width = Math.max(...commands.map(([command]) => command.length));
  return [
    `Sandbox providers forget everything when they stop. The gateway does not: delete ${rows === undefined ? "the database's rows" : rows} for a fresh start.`,
    '',
    'next, in another terminal',
    ...commands.map(([command, what]) => `  ${command.padEnd(width)}   ${what}`),
  ];
};

/** Formats a log line for a terminal: the time of day, the level unless it is info, the event and its fields. */
export const readableLog = (line: string): string => {
  const { level, time, instance: _instance, event, ...rest } = JSON.parse(line) as { level: string; time: number; instance: string; event: string };
  const details = Object.entries(rest).map(([name, value]) => `${name}=${String(value)}`);
  return [new Date(time).toISOString().slice(11, 23), ...(level === 'info' ? [] : [level.toUpperCase()]), event, ...details].join('  ');
};
