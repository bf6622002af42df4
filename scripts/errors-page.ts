import { problems } from '../src/http/problem.ts';
import { errorsText } from './errors-text.ts';
import { escaped, framed, guideOf, renderGuide } from './guides.ts';

const rows = Object.entries(problems).map(([code, { status, title, action, retryable }]) => ({ code, status, title, action, retryable }));
/** Returns the page /docs/errors, which the member `help` of a problem links to. `style`: the address of the style sheet. */
export const errorsPage = (style: string): string =>
  framed({
    title: 'Errors',
    path: '/docs/errors',
    styles: [style],
    body: guideOf(`${renderGuide('docs/errors.md', errorsText).html}<table class="errors"><thead><tr><th>code</th><th>status</th><th>what it means</th><th>what to do</th><th>retry</th></tr></thead><tbody>
${rows.map((row) => `<tr id="${row.code}"><td><code>${row.code}</code></td><td data-label="status">${row.status}</td><td>${escaped(row.title)}</td><td data-label="what to do">${row.action}</td><td data-label="retry">${row.retryable ? 'yes' : 'no'}</td></tr>`).join('\n')}
</tbody></table>
`),
  });
