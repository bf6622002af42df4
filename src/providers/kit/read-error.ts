/**
 * Reads a provider's error in many forms, such as JSON-RPC's `{error: {code, message, data}}`, `{error: "text", message: "the reason"}` (NestJS),
 * `{message: ["one", "two"]}`, `{detail}` (FastAPI, problem+json), `{errors: …}`, plain text, or an HTML page. Callers use the words only to tell
 * refusals apart. They pass no sentence on.
 */
import { isMembers } from './find-document.ts';

export type SaidError = {
  /** JSON-RPC's error code, or another numeric code. */
  code?: number;
  /** The short words in members such as `error_code`, `errorType` or `type`, as they are written. */
  codes: readonly string[];
  /** The strings and the names of inner members that may state the reason, in lower case, with single spaces. */
  words: string;
  /** Whether the form alone shows that this is an error. */
  isError: boolean;
};

const longest = 4096;
const mostValues = 200;
const codeMember = /^(?:error_?)?(?:code|type|name)$/i;
/** Members that do not state the reason, for example an echo of the request, a stack trace, or when and where the error happened. */
const noReason = new Set([
  'input',
  'request',
  'ctx',
  'stack',
  'trace',
  'stacktrace',
  'timestamp',
  'instance',
  'url',
  'request_id',
  'requestid',
  'jsonrpc',
  'help',
]);

/** Objects under these names say what the error is about, not why it happened. */
const documents = new Set(['order', 'payment', 'channel']);

/** Reads an error. `body`: parsed JSON, or a string. Never throws. */
export const readError = (body: unknown): SaidError => {
  const words: string[] = [];
  const codes: string[] = [];
  let code: number | undefined;
  let left = mostValues;
  const read = (value: unknown, member: string, depth: number): void => {
    left -= 1;
    if (left < 0 || depth > 8) return;
    if (typeof value === 'string') {
      const text = depth === 0 ? withoutMarkup(value) : value.slice(0, longest);
      if (codeMember.test(member)) {
        if (/^-?\d{1,9}$/.test(text)) code ??= Number(text);
        else if (/^[\w.:-]{1,64}$/.test(text)) codes.push(text);
      }
      words.push(text);
    } else if (typeof value === 'number') {
      if (codeMember.test(member)) code ??= value;
    } else if (Array.isArray(value)) {
      for (const item of value) read(item, member, depth + 1);
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, item] of Object.entries(value)) {
        if (noReason.has(name.toLowerCase()) || (documents.has(name.toLowerCase()) && isMembers(item))) continue;
        // The name of an inner member may be the field that is wrong: {errors: {lsp_balance_sat: ["too small"]}}.
        if (depth > 0) words.push(name);
        read(item, name, depth + 1);
      }
    }
  };
  read(body, '', 0);
  return {
    ...(code === undefined ? {} : { code }),
    codes,
    words: words.join(' ').slice(0, longest).toLowerCase().replaceAll(/\s+/g, ' ').trim(),
    isError: hasFormOfError(body),
  };
};

/** Returns the words of an HTML page, or any other text as it is. The page may be hostile: the time must not grow with the square of its length. */
const withoutMarkup = (text: string): string =>
  /^\s*</.test(text)
    ? text
        .split(/<\/(?:script|style)\s*>/i)
        .map((part, n, { length }) => (n === length - 1 ? part : part.replace(/<(?:script|style)\b[^]*$/i, ' ')))
        .join(' ')
        .replaceAll(/<[^<>]*>/g, ' ')
        .slice(0, longest)
    : text.slice(0, longest);

/** Returns whether a value is missing, null, false, 0, or an empty string, list or object. */
export const isNothing = (value: unknown): boolean =>
  value === undefined || value === null || value === false || value === '' || value === 0 || (typeof value === 'object' && Object.keys(value).length === 0);

const errorMembers = /^(?:errors?|error_?(?:message|type|code|description)|detail|exception|fault)$/i;
const outcomeMembers = /^(?:success|ok|succeeded)$/i;
const statusMembers = /^(?:status|status_?code|code|http_?status|result)$/i;

const hasFormOfError = (body: unknown): boolean => {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false;
  return Object.entries(body).some(([name, value]) => {
    if (errorMembers.test(name)) return !isNothing(value);
    if (outcomeMembers.test(name)) return value === false || value === 'false' || value === 0;
    if (!statusMembers.test(name)) return false;
    if (typeof value === 'string' && !/^-?\d+$/.test(value)) return /^(?:error|fail(?:ed|ure)?|rejected|refused|denied|not ?ok|nok|ko)$/i.test(value);
    const number = Number(value);
    return (number >= 400 && number < 600) || number < 0;
  });
};

/** Returns the words in lower case, with codes split into words: PEER_NOT_CONNECTED, peerNotConnected, peer-not-connected. */
export const asSentence = ({ words, codes }: Pick<SaidError, 'words' | 'codes'>): string =>
  `${words} ${codes.map((code) => code.replaceAll(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase()).join(' ')}`
    .replaceAll(/[_\-.:]+/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();

/** Words by which a server says that it does not know what happened. */
const unsure = /went wrong|internal (?:server )?error|unexpected|unknown error|timed? ?out|try again|temporar|unavailable at the moment/;
const no =
  /\bno\b|\bnot\b|n't\b|reject|refus|declin|denied|deny|forbid|invalid|illegal|unable|cannot|fail|error|unsupported|unavailable|disabled|must|require|need|exceed|minimum|maximum|too (?:small|large|low|high|big|few|many|short|long)|insufficient|blocked|banned|expired|missing|bad request|conflict|closed|maintenance|only/;

const done = /\b(?:created|accepted|placed|queued|scheduled|received|thank)/;
const undone = /\bnot\b|n't\b|\bcannot\b|\bunable\b|\bfail/;

/** Returns whether the words leave open whether the request was carried out. */
export const isUnsure = (said: SaidError): boolean => unsure.test(asSentence(said));

/**
 * Returns whether the words say that nothing was done. "Internal error" does not say so, and neither does "created, you must now pay".
 */
export const saysNo = (said: SaidError): boolean => {
  const sentence = asSentence(said);
  return no.test(sentence) && !unsure.test(sentence) && (!done.test(sentence) || undone.test(sentence));
};
