/**
 * The page /buy: one `<ramp-buy>` for the gateway that serves it. Its query may contain `amount`, `currency`, `by`, `lang`, `theme` and `return_to`;
 * the gateway serves no page for a `return_to` that its operator has not listed. In a frame, the events go to the page around the frame.
 */
import { languageOf, wordsOf } from './words.ts';
import './ramp-buy.ts';

const asked = new URLSearchParams(location.search);
const language = languageOf(asked.get('lang'), ...navigator.languages);
document.documentElement.lang = language;
document.title = wordsOf(language).title;

const element = document.createElement('ramp-buy');
element.lang = language;
for (const name of ['amount', 'currency', 'by', 'theme'] as const) element[name] = asked.get(name);
element.returnTo = asked.get('return_to');
const theme = asked.get('theme');
if (theme === 'light' || theme === 'dark') document.documentElement.dataset['theme'] = theme;

/**
 * Returns the origin of the page that frames this one. The browser lets only listed origins do that (frame-ancestors). So the page around this one
 * may receive the events. Returns undefined if this page is not in a frame, or if the browser does not tell the origin: then no page receives them.
 */
const around = (): string | undefined => {
  if (window.parent === window) return undefined;
  const { ancestorOrigins } = location;
  return ancestorOrigins?.[0] ?? (URL.canParse(document.referrer) ? new URL(document.referrer).origin : undefined);
};
const origin = around();
if (origin !== undefined)
  for (const name of ['offer', 'ordered', 'filled', 'finished', 'error'])
    element.addEventListener(name, (event) =>
      window.parent.postMessage({ type: `ramp-gateway:${name}`, detail: (event as CustomEvent<unknown>).detail }, origin),
    );

document.querySelector('main')?.append(element);
