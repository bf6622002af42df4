import { problems } from '../src/http/problem.ts';

const rows = Object.entries(problems).map(([code, { status, title, action, retryable }]) => ({ code, status, title, action, retryable }));
const style =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f;background:#fff}table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ddd;padding:.35rem .6rem;text-align:left;vertical-align:top}code{background:#f3f3f6;padding:.1rem .3rem;border-radius:3px}a{color:#a65a00}tr:target{background:#fff3df}@media(min-width:48rem){td:nth-child(4){white-space:nowrap}}@media(prefers-color-scheme:dark){body{background:#17171a;color:#e6e6ea}code{background:#26262b}td,th{border-color:#333}a{color:#ffb457}tr:target{background:#3a2c14}}';
/** Returns docs/errors as a page, to which the `help` of a problem links. */
export const errorsPage =
  (): string => `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Errors · ramp-gateway</title><style>${style}</style>
<p><a href="/docs">ramp-gateway</a></p><h1>Errors</h1>
<p>Every error is an RFC 9457 problem document. <code>code</code> is for your code, <code>detail</code> for people, <code>instance</code> is the request id.</p>
<table><thead><tr><th>code</th><th>status</th><th>what it means</th><th>what to do</th><th>retry</th></tr></thead><tbody>
${rows.map((row) => `<tr id="${row.code}"><td><code>${row.code}</code></td><td>${row.status}</td><td>${row.title.replaceAll('&', '&amp;')}</td><td>${row.action}</td><td>${row.retryable ? 'yes' : 'no'}</td></tr>`).join('\n')}
</tbody></table></html>
`;
