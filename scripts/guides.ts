/** The guides of docs/ as pages, and the frame that all pages of the documentation share. */
import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import MarkdownIt from 'markdown-it';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The guides: the name in the address `/docs/<name>`, the source, and the name in the navigation. */
const guides = [
  ['wallet', 'docs/wallet.md', 'Wallets'],
  ['wallet-http', 'docs/wallet-http.md', 'Plain HTTP'],
  ['client', 'packages/client/README.md', 'Client'],
  ['checkout', 'packages/checkout/README.md', 'Checkout'],
  ['sandbox', 'docs/sandbox.md', 'Sandbox'],
  ['receipts', 'docs/receipts.md', 'Receipts'],
  ['operations', 'docs/operations.md', 'Operations'],
  ['operator', 'docs/operator.md', 'Operator'],
  ['providers', 'docs/providers.md', 'Providers'],
  ['versioning', 'docs/versioning.md', 'Versions'],
  ['glossary', 'docs/glossary.md', 'Glossary'],
] as const;
/** The address of each page, by its source. */
const addresses = new Map<string, string>([...guides.map(([name, source]) => [source, `/docs/${name}`] as const), ['docs/errors.md', '/docs/errors']]);

export const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

const links = [['/docs', 'API'], ...guides.map(([name, , title]) => [`/docs/${name}`, title] as const), ['/docs/errors', 'Errors']] as const;
type Framed = { title: string; path: string; styles: readonly string[]; body: string };
/** Returns a page of the documentation with its navigation. `styles`: the addresses of the style sheets. */
export const framed = ({ title, path, styles, body }: Framed): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>${escaped(title)} · ramp-gateway</title><link rel="icon" href="data:,">${styles.map((style) => `<link rel="stylesheet" href="${style}">`).join('')}</head>
<body><div class="top"><nav aria-label="Documentation"><ul>
${links.map(([to, name]) => `<li><a href="${to}"${to === path ? ' aria-current="page"' : ''}>${name}</a></li>`).join('\n')}
</ul></nav></div>
${body}</body></html>
`;
/** Wraps a guide, or the list of errors, in a `<main>` with the style of guides. */
export const guideOf = (html: string): string => `<main class="guide">\n${html}</main>`;

/** Returns a heading's anchor, made as GitHub makes it, because the guides' links use GitHub's anchors. */
const slugOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');

/** Returns the address of a link in a guide: on this site if it leads to another guide, or undefined if the target is only in the repository. */
const addressOf = (href: string, source: string): string | undefined => {
  if (/^(?:https?:|mailto:|#|\/)/.test(href)) return href;
  const [path = '', anchor] = href.split('#');
  const address = addresses.get(posix.normalize(posix.join(posix.dirname(source), path)));
  return address === undefined ? undefined : `${address}${anchor === undefined ? '' : `#${anchor}`}`;
};

export const renderGuide = (source: string, text: string): { title: string; html: string } => {
  const markdown = new MarkdownIt({ html: false });
  const tokens = markdown.parse(text, {});
  let title = source;
  const slugs = new Map<string, number>();
  for (const [nth, token] of tokens.entries()) {
    if (token.type === 'heading_open') {
      const heading = (tokens[nth + 1]?.children ?? []).map(({ content }) => content).join('');
      const slug = slugOf(heading);
      const before = slugs.get(slug) ?? 0;
      slugs.set(slug, before + 1);
      token.attrSet('id', before === 0 ? slug : `${slug}-${before}`);
      if (token.tag === 'h1') title = heading;
    }
    // A wide code block scrolls on its own. The tabindex lets the keyboard scroll it, too.
    if (token.type === 'fence' || token.type === 'code_block') token.attrSet('tabindex', '0');
    for (const child of token.children ?? []) {
      if (child.type !== 'link_open') continue;
      const address = addressOf(String(child.attrGet('href') ?? ''), source);
      if (address === undefined) child.attrs = null;
      else child.attrSet('href', address);
    }
  }
  return { title, html: markdown.renderer.render(tokens, markdown.options, {}) };
};

/** Makes a page from each guide. Returns the name and the text of each page's file. */
export const guidePages = (style: string): [file: string, text: string][] =>
  guides.map(([name, source]) => {
    const { title, html } = renderGuide(source, readFileSync(join(root, source), 'utf8'));
    // An empty heading, in the corner of a table, becomes an ordinary cell.
    const body = html
      .replaceAll('<th></th>', '<td></td>')
      .replaceAll('<table>', '<div class="wide" tabindex="0"><table>')
      .replaceAll('</table>', '</table></div>');
    return [`guide-${name}.html`, framed({ title, path: `/docs/${name}`, styles: [style], body: guideOf(body) })];
  });
