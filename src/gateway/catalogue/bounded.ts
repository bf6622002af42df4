/** Limits what a provider may list, because its options become part of the list that every customer sees. */
import { readCurrencyCode } from '../../domain/currency.ts';
import { holdsLink } from '../../domain/links.ts';
import { mixesAlphabets, normalForm } from '../../domain/option-name.ts';
import { printableName } from '../../domain/printable.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Provider } from '../../ports/providers.ts';
import type { Catalogue, CatalogueOption } from '../../providers/spec.ts';

const mostOptions = 100;
/** How many new option names of one provider get a number per day and instance. There is a limit because numbers are never reused. */
const mostNewNames = 100;
const dayMs = 86_400_000;

/**
 * Keeps at most 100 options, in the provider's own sequence: those with a readable name and currency code. If the configuration has a list of
 * currencies, options in other currencies are left out. A name that holds a link or mixes two alphabets is left out, unless the operator has an alias
 * for it. Logs how many were left out.
 */
export const boundedOptions = (gateway: Gateway, provider: Provider, { options, ...catalogue }: Catalogue): Catalogue => {
  const { currencies } = gateway.settings;
  const aliased = new Set(Object.keys(provider.core.option_aliases).map(normalForm));
  const kept: CatalogueOption[] = [];
  let copies = 0;
  for (const option of options) {
    const currency = readCurrencyCode(option.currency);
    const name = printableName(option.name);
    if (currency === undefined || name === undefined || currencies?.includes(currency) === false) continue;
    // An option whose name mixes alphabets is kept if the operator has given that name an alias.
    const isCopy = mixesAlphabets(name) && !aliased.has(normalForm(name));
    if (isCopy) copies += 1;
    if (isCopy || (holdsLink(name) && !aliased.has(normalForm(name)))) continue;
    kept.push({ ...option, name });
    if (kept.length === mostOptions) break;
  }
  if (kept.length < options.length) gateway.log('info', 'options_left_out', { provider: provider.id, count: options.length - kept.length });
  if (copies > 0) gateway.log('warn', 'options_left_out', { provider: provider.id, count: copies, reason: 'letters of two alphabets in a name' });
  return { ...catalogue, options: kept };
};

const spent = new WeakMap<object, Map<string, { since: number; used: number }>>();

/** Returns the provider's new names that may get a number today. */
export const withinDailyNames = <T>({ state, now, log }: Gateway, providerId: string, wanted: T[]): T[] => {
  const windows = spent.get(state) ?? new Map<string, { since: number; used: number }>();
  spent.set(state, windows);
  const at = now();
  const known = windows.get(providerId);
  const window = known && at >= known.since && at - known.since < dayMs ? known : { since: at, used: 0 };
  const taken = wanted.slice(0, mostNewNames - window.used);
  windows.set(providerId, { ...window, used: window.used + taken.length });
  if (taken.length < wanted.length) log('warn', 'options_left_out', { provider: providerId, count: wanted.length - taken.length, reason: 'new names' });
  return taken;
};
