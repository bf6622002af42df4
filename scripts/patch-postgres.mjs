/**
 * Patches the PostgreSQL driver, after `npm ci` and before the image is built. Defects of postgres 3.4.9:
 *
 * - It writes a statement in the next turn of the event loop. If the connection has closed meanwhile, as at every restart of the database under
 *   traffic, it throws outside of any promise, which ends the process; or it leaves the timer set, and that connection never writes again.
 *   github.com/porsager/postgres, issues 1154 and 1208, pull requests 1168 and 1209, open in November 2026.
 * - It counts the rows of a statement, and does not reset the count if the statement fails after its first rows (a time-out, an ended connection).
 *   The next statement on that connection then stores its rows after empty places, so that its first row seems to be missing. Not reported so far.
 * - A transaction goes on after its connection has closed: its next statement, or at least the rollback, is written to whatever that connection has
 *   become. If the driver has connected again, the statement runs in another session, outside any transaction or inside another one. If it has not,
 *   the pool counts the connection as occupied for ever. Not reported so far.
 * - It keeps the message with which the server ended a connection, and fails the first statement of the next connection with it. Not reported so far.
 * - Its limit on the statements that wait on one connection also holds back the `begin` of a transaction, so that a limit of 0 (none waits behind
 *   another) stops every transaction. Not reported so far.
 * - It assigns two new functions to properties of each query. V8 puts a function that is assigned like that into the old generation at once, where it
 *   keeps the query, and all that waited for it, until the next full collection. As methods, they do not (docs/decisions/2026-11-30-speed.md). Not
 *   reported so far.
 *
 * Delete this file once a release of the driver fixes all six. test/runtime/driver.test.ts shows them.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

const folder = new URL('../node_modules/postgres/', import.meta.url);
/** Pairs of the driver's code and its replacement. */
const inConnection = [
  [
    `    const x = socket.write(chunk, fn)
    nextWriteTimer !== null && clearImmediate(nextWriteTimer)
    chunk = nextWriteTimer = null
    return x
`,
    `    nextWriteTimer !== null && clearImmediate(nextWriteTimer)
    const x = chunk
    chunk = nextWriteTimer = null
    if (!socket) {
      error(Errors.connection('CONNECTION_CLOSED', options, socket))
      return false
    }
    return socket.write(x, fn)
`,
  ],
  ['    result = new Result()\n    connectTimer.cancel()\n', '    result = new Result()\n    rows = 0\n    connectTimer.cancel()\n'],
  [
    `    if (initial)
      return reconnect()

    !hadError && (query || sent.length) && error(Errors.connection('CONNECTION_CLOSED', options, socket))
`,
    `    if (initial) {
      query = errorResponse = null
      return reconnect()
    }

    !hadError && (query || sent.length) && error(Errors.connection('CONNECTION_CLOSED', options, socket))
    query = errorResponse = null
`,
  ],
  [
    `        && sent.length < max_pipeline
        && (!q.options.onexecute || q.options.onexecute(connection))
`,
    `        && (!q.options.onexecute || q.options.onexecute(connection))
        && sent.length < max_pipeline
`,
  ],
  ...['ended', 'closed'].map((what) => {
    const after = what === 'ended' ? '    if (socket) {\n' : "    socket.removeListener('data', data)\n";
    return [`    clearImmediate(nextWriteTimer)\n${after}`, `    clearImmediate(nextWriteTimer)\n    chunk = nextWriteTimer = null\n${after}`];
  }),
];
const inIndex = [
  ['      , prepare = null\n\n    try {\n', '      , prepare = null\n      , gone = null\n\n    try {\n'],
  [
    '        new Promise((_, reject) => connection.onclose = reject)\n',
    `        new Promise((_, reject) => connection.onclose = e => {
          gone = e
          while (queries.length) queries.shift().reject(e)
          reject(e)
        })
`,
  ],
  [
    `        q.catch(e => uncaughtError || (uncaughtError = e))
        c.queue === full
`,
    `        q.catch(e => uncaughtError || (uncaughtError = e))
        if (gone)
          return q.reject(gone)
        c.queue === full
`,
  ],
];

const inQuery = [
  [
    '    this.resolve = x => (this.active = false, resolve(x))\n    this.reject = x => (this.active = false, reject(x))\n',
    '    this.settle = resolve\n    this.fail = reject\n',
  ],
  [
    '  get origin() {\n',
    `  resolve(x) {
    this.active = false
    this.settle(x)
  }

  reject(x) {
    this.active = false
    this.fail(x)
  }

  get origin() {
`,
  ],
];

const files = ['src', 'cjs/src', 'cf/src'].flatMap((build) => [
  { name: `${build}/connection.js`, edits: inConnection },
  { name: `${build}/index.js`, edits: inIndex },
  { name: `${build}/query.js`, edits: inQuery },
]);
for (const { name, edits } of files) {
  const file = new URL(name, folder);
  const before = readFileSync(file, 'utf8');
  let text = before;
  for (const [was, becomes] of edits) {
    if (text.includes(becomes)) continue;
    if (text.split(was).length !== 2)
      throw new Error(`${file.pathname} is not the version that ${import.meta.url} patches: find out whether the patch is still needed`);
    text = text.replace(was, () => becomes);
  }
  if (text === before) continue;
  // Written as a new file: the old one may be a hard link that other folders share.
  const mended = new URL(`${file.href}.mended`);
  writeFileSync(mended, text);
  renameSync(mended, file);
}
