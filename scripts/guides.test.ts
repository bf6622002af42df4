import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { renderGuide } from './guides.ts';

const site = new URL('../dist/site/', import.meta.url);
const pages = new Map(
  readdirSync(site)
    .filter((name) => name.endsWith('.html'))
    .map((name) => [`/docs/${name.replace(/^guide-/, '').replace('.html', '')}`, readFileSync(new URL(name, site), 'utf8')]),
);

it('has no link to a page or a heading that is not there', () => {
  const broken = [...pages].flatMap(([path, html]) =>
    [...html.matchAll(/href="((?:\/docs[^"]*)?(?:#[^"]*)?)"/g)].flatMap(([, href = '']) => {
      const [target = '', anchor] = href.split('#');
      const page = target === '/docs' ? pages.get('/docs/reference') : pages.get(target === '' ? path : target);
      return page === undefined || (anchor !== undefined && !page.includes(`id="${anchor}"`)) ? [`${path}: ${href}`] : [];
    }),
  );
  expect([pages.size, broken]).toEqual([15, []]);
});

it('shows HTML in a guide as text, and drops links to files that are not documentation', () => {
  const { title, html } = renderGuide(
    'docs/wallet.md',
    '# A <b>title</b>\n\n## A `b` c, d\n\n## A b c d\n\n[x](sandbox.md#magic) [y](../src/http/app.ts) [z](javascript:alert(1)) <img src=x onerror=alert(1)>\n',
  );
  expect(title).toBe('A <b>title</b>');
  expect(html).toContain('<a href="/docs/sandbox#magic">x</a> <a>y</a>');
  expect(html).toContain('<h2 id="a-b-c-d">');
  expect(html).toContain('<h2 id="a-b-c-d-1">');
  expect(html).not.toMatch(/<img|<b>|href="javascript/);
});
