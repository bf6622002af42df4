/**
 * Reads dates as providers write them. An expiry in an unknown form is `unreadable`, never "no expiry". Ambiguous forms (11/12/2026, a bare clock
 * time, a zone without a known offset) are unreadable on purpose. A time without a zone is UTC.
 */

/**
 * Any later date is read as this date. Providers write 9999 for "never", and PostgreSQL cannot read the year 10000 as JavaScript writes it (+010000).
 */
const furthestMs = Date.UTC(2100, 0, 1);
/** The last of the years that frameworks write for "not set": 0 (MySQL) and 1 (Go, .NET). */
const lastZeroYear = 1;
/** The beginning of the year 1 as a Unix time, in seconds and in milliseconds. */
const zeroEpochs = [-62_135_596_800, -62_135_596_800_000];

const offset = String.raw`\s?(?:utc|gmt)?([+\-\u2212]\d{2}:?(?:\d{2})?)(?:\s[a-z]{2,5})?`;
/**
 * What programming languages print after the offset: a zone name in brackets, or Go's monotonic clock (m=±…). Without an offset, only Z, UTC, GMT and
 * UT are read.
 */
const comment = String.raw`(?:\s?\([^)]*\)|\[[\w/+\-]*\]|\sm=[+\-][\d.]+)?`;
const zone = String.raw`(?:(?:\s?(z|utc|gmt|ut)|${offset})${comment})?`;
const clock = String.raw`(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,](\d+))?)?`;
const isoForm = new RegExp(String.raw`^(?:\+0*)?(\d{4,6})([-/]?)(\d{2})\2(\d{2})(?:[t\s_]${clock}${zone})?$`, 'i');
/** RFC 2822, HTTP, cookies: Sat, 28 Nov 2026 18:25:43 GMT; Saturday, 28-Nov-26 18:25:43 GMT. */
const mailForm = new RegExp(String.raw`^(?:[a-z]{3,9},?\s)?(\d{1,2})[\s-]([a-z]{3,9})[\s-](\d{4}|\d{2})\s${clock}${zone}$`, 'i');
/** ctime and JavaScript: Sat Nov 28 18:25:43 2026; Sat Nov 28 2026 18:25:43 GMT+0100 (CET). */
const ctimeForm = new RegExp(String.raw`^[a-z]{3}\s([a-z]{3})\s{1,2}(\d{1,2})\s${clock}\s(?:([a-z]{3,4})\s)?(\d{4})$`, 'i');
const scriptForm = new RegExp(String.raw`^[a-z]{3}\s([a-z]{3})\s(\d{2})\s(\d{4})\s${clock}${zone}$`, 'i');
const microsoftForm = /^\/date\((-?\d+)(?:[+-]\d{4})?\)\/$/i;
/** 20261128, 202611281825 and 20261128182543: date and time in digits alone, which must not be read as a Unix time. */
const compactForm = /^((?:19|20|21)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(\d{4}|\d{6})?$/;
/** The form that most providers write. JavaScript's parser may read it: days 1 to 28 exist in every month, and the year is never a placeholder. */
const usualForm = /^20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{3})?Z$/;
const numberForm = /^-?\d{1,20}(?:\.\d+)?$|^\d(?:\.\d+)?e\+?\d{1,2}$/i;

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const fullMonths = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december'];
const monthOf = (name: string): number => {
  const word = name.toLowerCase();
  return 1 + (word.length === 3 ? months.indexOf(word) : word === 'sept' ? 8 : fullMonths.indexOf(word));
};

/**
 * An expiry in Unix milliseconds, not later than the year 2100. Undefined: no expiry (no value, an empty string, a date for "not set"). `unreadable`:
 * anything else.
 */
export type End = number | undefined | 'unreadable';

export const readEnd = (value: unknown): End => {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number') return readText(String(value));
  return typeof value === 'string' && value.length <= 100 ? readText(value.trim()) : 'unreadable';
};

const readText = (text: string): End => {
  if (text === '') return undefined;
  if (usualForm.test(text)) return Date.parse(text);
  const [, day, time] = compactForm.exec(text) ?? [];
  if (day !== undefined) return calendar(time === undefined ? day : `${day}T${time}`);
  return numberForm.test(text) ? epoch(text) : calendar(text);
};

/** Reads a time. Returns undefined if there is none, or if it cannot be read. */
export const readTime = (value: unknown): number | undefined => {
  const end = readEnd(value);
  return end === 'unreadable' ? undefined : end;
};

/**
 * Reads a Unix time in seconds (9 or 10 digits: 1973 to 2286), or in milli-, micro- or nanoseconds, depending on the number of digits. Cuts the
 * string, because a number cannot hold 19 digits. A number of any other length is not a Unix time.
 */
const epoch = (text: string): End => {
  if (zeroEpochs.includes(Number(text))) return undefined;
  const [, whole = '', fraction = ''] = /^(\d+)(?:\.(\d+))?$/.exec(text.includes('e') || text.includes('E') ? String(Number(text)) : text) ?? [];
  const seconds = whole.slice(0, whole.length - 3 * Math.floor((whole.length - 9) / 3));
  if (whole.length < 9 || whole.length > 19 || seconds.length > 10) return 'unreadable';
  return Math.min(Number(`${seconds}${`${whole.slice(seconds.length)}${fraction}000`.slice(0, 3)}`), furthestMs);
};

type Parts = { year: number; month: number; day: number; clock?: (string | undefined)[]; shift?: string | undefined };

const calendar = (text: string): End => {
  const microsoft = microsoftForm.exec(text);
  if (microsoft?.[1] !== undefined) return epoch(microsoft[1]);
  const parts = isoParts(text) ?? mailParts(text) ?? ctimeParts(text);
  return parts ? moment(parts) : 'unreadable';
};

const isoParts = (text: string): Parts | undefined => {
  const [, year, separator, month, day, ...rest] = isoForm.exec(text) ?? [];
  // Without separators, a six-digit year cannot be told from year and month.
  if (year === undefined || (separator === '' && year.length > 4)) return undefined;
  return { year: Number(year), month: Number(month), day: Number(day), ...timeOf(rest) };
};
const mailParts = (text: string): Parts | undefined => {
  const [, day, month, year, ...rest] = mailForm.exec(text) ?? [];
  if (day === undefined || month === undefined || year === undefined) return undefined;
  return { year: year.length === 2 ? 2000 + Number(year) : Number(year), month: monthOf(month), day: Number(day), ...timeOf(rest) };
};
const ctimeParts = (text: string): Parts | undefined => {
  const [, month, day, hour, minute, second, fraction, named, year] = ctimeForm.exec(text) ?? [];
  if (month !== undefined && /^(?:utc|gmt)?$/i.test(named ?? ''))
    return { year: Number(year), month: monthOf(month), day: Number(day), clock: [hour, minute, second, fraction] };
  const [, scriptMonth, scriptDay, scriptYear, ...rest] = scriptForm.exec(text) ?? [];
  return scriptMonth === undefined ? undefined : { year: Number(scriptYear), month: monthOf(scriptMonth), day: Number(scriptDay), ...timeOf(rest) };
};
const timeOf = ([hour, minute, second, fraction, , shift]: (string | undefined)[]): Pick<Parts, 'clock' | 'shift'> => ({
  clock: [hour, minute, second, fraction],
  shift,
});

const moment = ({ year, month, day, clock: [hour = '00', minute = '00', second = '00', fraction = ''] = [], shift }: Parts): End => {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // JavaScript turns 30 February into a day in March. A date that was changed like that is not a date.
  const isDate = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  const isMidnightAtTheEnd = hour === '24' && Number(minute) + Number(second) === 0;
  if (year <= lastZeroYear) return undefined;
  if (!isDate || (Number(hour) > 23 && !isMidnightAtTheEnd) || Number(minute) > 59 || Number(second) > 60) return 'unreadable';
  const ofDay = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000 + Number(`${fraction}000`.slice(0, 3));
  const ahead = offsetMs(shift);
  if (ahead === undefined) return 'unreadable';
  const ms = date.getTime() + ofDay - ahead;
  // A date before 2 January 1970 is probably a number that was never set. It may mean a time in the past or no expiry, so it is unreadable.
  return ms < 86_400_000 ? 'unreadable' : Math.min(ms, furthestMs);
};

const offsetMs = (given: string | undefined): number | undefined => {
  if (given === undefined) return 0;
  const [hours, minutes] = [Number(given.slice(1, 3)), Number(given.slice(3).replace(':', '') || '0')];
  const size = (hours * 60 + minutes) * 60_000;
  return hours > 18 || minutes > 59 ? undefined : given.startsWith('+') ? size : -size;
};
