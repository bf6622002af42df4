/** Reads a provider's payment instructions, whatever their shape, into one flat object of strings. Pure. */
import { printableName } from '../../domain/printable.ts';
import type { PaymentInfo } from '../spec.ts';

const mostTexts = 64;
const longestText = 4096;
const longestInAll = 16_384;
const mostLevels = 4;

type Told = { key: string; text: string; /** A boolean (`instant: true`) does not say where to pay. */ isSwitch: boolean };
/** Instructions that cannot be shown whole are not shown at all. */
class NotWhole extends Error {}

/**
 * Maps payment_info. Ignores missing members, null, "" and []. Keeps keys, and turns values into strings. Keys next to payment_details, such as a
 * payment reference, move into payment_details: without the reference, the customer's transfer cannot be matched. Nested keys are joined by `_`, and
 * a list of labels and values becomes keys and values.
 */
export const toPaymentInfo = (given: unknown): PaymentInfo => {
  try {
    return read(given);
  } catch (error) {
    if (error instanceof NotWhole) return { kind: 'none', problem: error.message };
    throw error;
  }
};

const read = (given: unknown): PaymentInfo => {
  const whole = isObject(given) ? given : { payment_details: given };
  const { payment_option_id: _, payment_url: url, payment_details: details, ...beside } = whole;
  const paymentUrl = typeof url === 'string' && url !== '' ? url : undefined;
  const told = [...textsIn({ ...beside, ...(typeof url === 'string' ? {} : { payment_url: url }) }, '', 0)];
  const inside = isObject(details) || Array.isArray(details) ? textsIn(details, '', 0) : textsIn({ payment_details: details }, '', 0);
  if (told.length + inside.length > mostTexts) throw new NotWhole('there are more payment details than can be shown');
  const named = withKeys(told, inside);
  if ([...named].reduce((size, [key, text]) => size + key.length + text.length, 0) > longestInAll)
    throw new NotWhole('the payment details are longer than can be shown');
  const saysWhere = [...told, ...inside].some(({ isSwitch }) => !isSwitch);
  if (paymentUrl === undefined && !saysWhere) return { kind: 'none' };
  return {
    kind: 'fiat',
    ...(paymentUrl === undefined ? {} : { paymentUrl }),
    ...(saysWhere ? { paymentDetails: Object.fromEntries(named) } : {}),
  };
};

/**
 * Merges keys. A key inside payment_details replaces the same key beside payment_details. Equal keys in the same place are all kept if their values
 * differ.
 */
const withKeys = (beside: Told[], inside: Told[]): Map<string, string> => {
  const named = new Map<string, string>();
  const add = ({ key, text }: Told): void => {
    let free = key;
    for (let n = 2; named.has(free) && named.get(free) !== text; n += 1) free = `${key}_${n}`;
    named.set(free, text);
  };
  const own = new Set(inside.map(({ key }) => key));
  for (const one of [...beside.filter(({ key }) => !own.has(key)), ...inside]) add(one);
  return named;
};

const labels = ['label', 'name', 'key', 'title', 'field'] as const;
const values = ['value', 'text', 'content'] as const;

const textsIn = (value: unknown, path: string, level: number): Told[] => {
  if (value === null || value === undefined || value === '') return [];
  if (typeof value === 'string' || typeof value === 'number') {
    const text = String(value);
    if (text.length > longestText) throw new NotWhole('a payment detail is longer than can be shown');
    return [{ key: path, text, isSwitch: false }];
  }
  if (typeof value === 'boolean') return [{ key: path, text: String(value), isSwitch: true }];
  if (level >= mostLevels || typeof value !== 'object') throw new NotWhole('the payment details are nested deeper than can be shown');
  if (Array.isArray(value)) {
    const isOne = value.length === 1 && path !== '';
    return value.flatMap((item: unknown, at) => textsIn(item, isOne || labelled(item) ? path : join(path, String(at + 1)), level + 1));
  }
  const pair = labelled(value);
  if (!pair) return Object.entries(value).flatMap(([key, item]) => textsIn(item, join(path, key), level + 1));
  const { [pair.label]: label, [pair.value]: text, ...more } = value as Record<string, unknown>;
  const key = join(path, String(label));
  return [...textsIn(text, key, level + 1), ...Object.entries(more).flatMap(([name, item]) => textsIn(item, join(key, name), level + 1))];
};

/** Returns which members of `{label: "Reference", value: "LP-77Q2"}` hold the label and the value. They may have any of the known names. */
const labelled = (value: unknown): { label: string; value: string } | undefined => {
  if (!isObject(value)) return undefined;
  const label = labels.find((name) => typeof value[name] === 'string' && value[name].trim() !== '');
  const text = values.find((name) => Object.hasOwn(value, name));
  return label === undefined || text === undefined ? undefined : { label, value: text };
};

const join = (path: string, key: string): string => {
  const name = printableName(key) ?? 'detail';
  return path === '' ? name : `${path}_${name}`;
};
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
