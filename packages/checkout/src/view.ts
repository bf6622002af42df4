import type { Language } from './amounts.ts';
import type { Flow, State } from './flow.ts';
import type { Words } from './words.ts';

/** What a screen needs to draw itself. */
export type View = {
  state: State;
  flow: Flow;
  words: Words;
  language: Language;
  /** Unix milliseconds, by the gateway's clock. */
  now: number;
  /** What the customer has entered and chosen in the form. */
  form: Form;
  edit: (change: Partial<Form>) => void;
  /** The name of what was copied last. */
  copied: string | undefined;
  copy: (name: string, text: string) => void;
  save: () => void;
  /** The address of the link back to the app, if the page gave one that leads to a page or an app. */
  returnTo: string | undefined;
};
export type Form = { amount: string; currency: string | undefined; by: string | undefined; /** Shown after the form was sent. */ mistake: string | undefined };
