import type { Language } from './amounts.ts';
import type { Flow, State } from './flow.ts';
import type { Words } from './words.ts';

/** What a screen draws from. */
export type View = {
  state: State;
  flow: Flow;
  words: Words;
  language: Language;
  /** Unix milliseconds. */
  now: number;
  /** What is written into the form, and chosen in it. */
  form: Form;
  edit: (change: Partial<Form>) => void;
  /** The name of what was copied last. */
  copied: string | undefined;
  copy: (name: string, text: string) => void;
  save: () => void;
  /** The address that the customer came from, if it is one to go back to. */
  returnTo: string | undefined;
};
export type Form = { amount: string; currency: string | undefined; by: string | undefined; /** Said once the form was sent. */ mistake: string | undefined };
