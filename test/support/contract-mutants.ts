/**
 * Adapters that each break one promise. Each is a sound adapter with a changed network (`http`) or changed results of its verbs (`answer`). A
 * contract suite that passes with such an adapter proves nothing. `breaks` matches the names of the cases that must fail.
 */
import { ProviderFault } from '../../src/providers/fault.ts';
import type { AdapterDeps, Http, HttpResponse } from '../../src/providers/spec.ts';
import { violations, type Subject, type Verb } from './contract.ts';

export type Mutant = {
  name: string;
  breaks: RegExp;
  http?: (http: Http) => Http;
  /** Changes what a verb returns. `reply` returns the body of the provider's last response as text. */
  answer?: (answering: () => Promise<unknown>, verb: { returned: unknown; optional: string[] }, reply: () => string) => Promise<unknown>;
};

const decode = (answer: HttpResponse): string => new TextDecoder().decode(answer.body);
const body = (text: string): Uint8Array => new TextEncoder().encode(text);
/** Rewrites every response for which `when` holds. */
const rewriting =
  (when: (answer: HttpResponse) => boolean, to: (answer: HttpResponse) => Partial<HttpResponse>) =>
  (http: Http): Http =>
  async (request) => {
    const answer = await http(request);
    return when(answer) ? { ...answer, ...to(answer) } : answer;
  };
const always = (): boolean => true;
/** Rewrites every fault that the adapter throws. */
const faulting = (change: (fault: ProviderFault) => ProviderFault) => async (answering: () => Promise<unknown>) => {
  try {
    return await answering();
  } catch (error) {
    throw error instanceof ProviderFault ? change(error) : error;
  }
};
const like = (fault: ProviderFault, more: { kind?: ProviderFault['kind']; retryable?: boolean; taken?: 'no' | 'maybe'; note?: string }): ProviderFault =>
  new ProviderFault(more.kind ?? fault.kind, more.note ?? 'x', {
    retryable: more.retryable ?? fault.retryable,
    taken: more.taken ?? fault.taken,
    ...(fault.retryAfterMs === undefined ? {} : { retryAfterMs: fault.retryAfterMs }),
  });
const isAnswer = (value: unknown): value is { ok: boolean; value?: unknown } => typeof value === 'object' && value !== null && 'ok' in value;

export const mutants: Mutant[] = [
  { name: 'forgets the abort', breaks: /abort/, http: (http) => async (request) => await http({ ...request, signal: new AbortController().signal }) },
  { name: 'lifts the byte cap', breaks: /caps the bytes/, http: (http) => async (request) => await http({ ...request, maxBytes: 1e9 }) },
  {
    name: 'follows redirects',
    breaks: /redirect/,
    http: (http) => async (request) => {
      const answer = await http(request);
      return answer.status === 307 ? await http({ ...request, url: answer.headers['location'] ?? '' }) : answer;
    },
  },
  {
    name: 'takes a redirect for a refusal',
    breaks: /redirect/,
    http: rewriting(
      ({ status }) => status === 307,
      () => ({ status: 404 }),
    ),
  },
  { name: 'sends something else', breaks: /sends exactly/, http: (http) => async (request) => await http({ ...request, url: `${request.url}?x=1` }) },
  {
    name: 'sends a member more',
    breaks: /sends exactly/,
    http: (http) => async (request) =>
      await http(request.body === undefined ? { ...request, body: '{}' } : { ...request, body: request.body.replace('{', '{"x":1,') }),
  },
  { name: 'forgets Retry-After', breaks: /429/, http: rewriting(always, () => ({ headers: { 'content-type': 'application/json' } })) },
  { name: 'takes errors for answers', breaks: /status 4\d\d|50\d/, http: rewriting(always, () => ({ status: 200 })) },
  {
    name: 'swallows faults of the network',
    breaks: /time-out|never left|beyond the cap|abort/,
    http: (http) => async (request) => await http(request).catch(() => ({ status: 404, headers: {}, body: new Uint8Array() })),
  },
  {
    name: 'takes HTML for a refusal',
    breaks: /HTML/,
    http: rewriting(
      ({ headers }) => headers['content-type'] === 'text/html',
      () => ({ status: 404 }),
    ),
  },
  {
    name: 'takes what it cannot read for a refusal',
    breaks: /truncated|empty body|UTF-8|nested|number|string under|null under|array under/,
    http: rewriting(
      (answer) => {
        try {
          const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(answer.body));
          return typeof value !== 'object' || value === null || Array.isArray(value) || JSON.stringify(value).includes('[[[[');
        } catch {
          return true;
        }
      },
      () => ({ status: 418, body: body('{}') }),
    ),
  },
  {
    name: 'chokes on members it does not know',
    breaks: /unknown keys/,
    http: (http) => async (request) => {
      const answer = await http(request);
      if (decode(answer).includes('something_new')) throw new ProviderFault('malformed', 'x');
      return answer;
    },
  },
  {
    name: 'lets the answer reach prototypes',
    breaks: /prototype/,
    answer: async (answering, _verb, reply) => {
      const answer = await answering();
      return reply().includes('__proto__') && isAnswer(answer) ? { ...answer, polluted: true } : answer;
    },
  },
  {
    name: 'answers the same whatever comes',
    breaks: /without |another type|is not believed|is refusal|HTML|truncated|empty body|UTF-8|nested|under 200/,
    answer: async (answering, verb) => {
      await answering().catch(() => undefined);
      return verb.returned;
    },
  },
  {
    name: 'answers nothing',
    breaks: /: good|without the optional|null for the optional/,
    answer: async (answering) => {
      await answering();
      return undefined;
    },
  },
  {
    name: 'leaves something out',
    breaks: /: good|unknown keys|prototype/,
    answer: async (answering) => {
      const answer = await answering();
      if (!isAnswer(answer) || !answer.ok) return answer;
      const { value } = answer;
      if (Array.isArray(value)) return { ...answer, value: value.slice(1) };
      return { ...answer, value: Object.fromEntries(Object.entries(value as object).slice(1)) };
    },
  },
  {
    name: 'insists on members that may be missing',
    breaks: /optional/,
    answer: async (answering, verb, reply) => {
      const answer = await answering();
      const given = JSON.parse(reply()) as Record<string, unknown>;
      if (verb.optional.some((field) => (given[field] ?? undefined) === undefined)) throw new ProviderFault('malformed', 'x');
      return answer;
    },
  },
  {
    name: 'takes refusals for answers',
    breaks: /is refusal|is none/,
    answer: async (answering, verb) => {
      const answer = await answering();
      const refused = isAnswer(answer) && (!answer.ok || (Array.isArray(answer.value) && answer.value.length === 0));
      return refused ? verb.returned : answer;
    },
  },
  {
    name: 'throws where it is refused',
    breaks: /is refusal|is none/,
    answer: async (answering) => {
      const answer = await answering();
      if (isAnswer(answer) && (!answer.ok || (Array.isArray(answer.value) && answer.value.length === 0))) throw new ProviderFault('server', 'x');
      return answer;
    },
  },
  {
    name: 'calls every fault unreachable',
    breaks: /HTML|500|503|429|time-out|redirect|beyond the cap/,
    answer: faulting((fault) => like(fault, { kind: 'unreachable' })),
  },
  {
    name: 'calls every fault malformed',
    breaks: /500|503|429|time-out|never left|is (?!refusal|none|malformed)\w+/,
    answer: faulting((fault) => like(fault, { kind: 'malformed' })),
  },
  {
    name: 'turns faults into refusals',
    breaks: /500|is (?!refusal|none)\w+/,
    answer: async (answering) => await answering().catch(() => ({ ok: false, refusal: { reason: 'declined' } })),
  },
  { name: 'would try everything again', breaks: /500/, answer: faulting((fault) => like(fault, { retryable: true })) },
  { name: 'would try nothing again', breaks: /503/, answer: faulting((fault) => like(fault, { retryable: false })) },
  { name: 'says of every fault that nothing was taken', breaks: /time-out/, answer: faulting((fault) => like(fault, { taken: 'no' })) },
  { name: 'says of every fault that it may have been taken', breaks: /never left|429/, answer: faulting((fault) => like(fault, { taken: 'maybe' })) },
  {
    name: "repeats the provider's words",
    breaks: /own words/,
    answer: async (answering, _verb, reply) =>
      await answering().catch((error: unknown) => {
        throw error instanceof ProviderFault ? like(error, { note: reply() }) : error;
      }),
  },
];

const mutate = <A>(mutant: Mutant, subject: Subject<A>, verb: Verb<A>): [Subject<A>, Verb<A>] => {
  let last = '';
  const create = (deps: AdapterDeps): A => {
    const noting: Http = async (request) => {
      const answer = await deps.http(request);
      last = decode(answer);
      return answer;
    };
    return subject.create({ ...deps, http: mutant.http ? mutant.http(noting) : noting });
  };
  const answer = mutant.answer;
  return [
    { ...subject, create },
    answer
      ? {
          ...verb,
          call: async (adapter, context) =>
            await answer(
              async () => await verb.call(adapter, context),
              verb,
              () => last,
            ),
        }
      : verb,
  ];
};

/** Returns the cases that each mutant breaks, of all verbs. The key is the mutant's name. */
export const noticed = async <A>(subject: Subject<A>, verbs: Verb<A>[], among: Mutant[] = mutants): Promise<Map<string, string[]>> =>
  new Map(
    await Promise.all(
      among.map(async (mutant): Promise<[string, string[]]> => {
        const broken = await Promise.all(verbs.map(async (verb) => await violations(...mutate(mutant, subject, verb))));
        return [mutant.name, broken.flat()];
      }),
    ),
  );
