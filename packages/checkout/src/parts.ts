/** What several screens show. */
import { html, nothing, type TemplateResult } from 'lit';
import { showMoney } from './amounts.ts';
import type { Trouble } from './flow.ts';
import type { View } from './view.ts';
import { textOf } from './words.ts';

export type Part = TemplateResult | typeof nothing;

/** A provider's text: it may be written from right to left, and is never HTML. */
export const theirs = (text: string): TemplateResult => html`<bdi>${text}</bdi>`;

/** The same inside of a sentence: Unicode's isolates. */
export const isolated = (text: string): string => `\u2068${text}\u2069`;

export const money = (view: View, amount: Parameters<typeof showMoney>[0] | undefined): string => (amount ? showMoney(amount, view.language) : '–');

/** What is being waited for. */
export const waiting = ({ state, words, flow }: View): Part => {
  const { working } = state;
  if (working === undefined) return nothing;
  const text = { loading: words.loading, comparing: words.comparing, ordering: words.ordering, withdrawing: words.fetching }[working];
  // What is being ordered stays ordered, whoever stops waiting.
  const stop = working === 'comparing' ? html`<button type="button" class="quiet" @click=${flow.cancel}>${words.cancel}</button>` : nothing;
  return html`<div class="waiting">
    <span class="spinner" aria-hidden="true"></span
    ><span>${text}${state.isSlow ? html` <span class="muted">${words.slow}</span>` : nothing}</span>${state.isSlow ? stop : nothing}
  </div>`;
};

/** What went wrong, in a sentence that helps, with the way on where there is one. */
export const problem = ({ words }: View, trouble: Trouble, next?: { label: string; run: () => void }): TemplateResult =>
  html`<div class="note bad">
    <p>${textOf(words.problems, trouble.code, trouble.message)}</p>
    ${trouble.requestId !== undefined && trouble.action === 'contact-support' ? html`<p class="muted small">${words.requestId(trouble.requestId)}</p>` : nothing}
    ${next ? html`<button type="button" class="second" @click=${next.run}>${next.label}</button>` : nothing}
  </div>`;

export const copyButton = (view: View, name: string, text: string): TemplateResult =>
  html`<button type="button" class="copy" aria-label=${view.words.copyOf(name)} @click=${() => view.copy(name, text)}>
    ${view.copied === name ? view.words.copied : view.words.copy}
  </button>`;
