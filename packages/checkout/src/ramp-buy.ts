/** `<ramp-buy>`: buying bitcoin through a gateway, in any page. Importing this file defines the element. */
import { createRamp, defaultRuntime, localStorageStore, type Runtime, type Store } from '@ramp-gateway/client';
import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { mayReturnTo } from '../../../src/domain/return-address.ts';
import type { Language } from './amounts.ts';
import { amountScreen } from './amount-screen.ts';
import { createFlow, type Flow, type State } from './flow.ts';
import { offersScreen } from './offers-screen.ts';
import { orderScreen, stageTitle } from './order-screen.ts';
import { problem, waiting } from './parts.ts';
import type { RampBuyElement, RampBuyNews } from './public.ts';
import { style } from './style.ts';
import type { Form, View } from './view.ts';
import { languageOf, wordsOf } from './words.ts';

/** Where orders are remembered if the browser has no storage: for all elements of the page, and for an element that is moved within it. */
const memory = new Map<string, string>();

/** A difference between the clocks that a slow answer could explain, in milliseconds, is ignored. */
const clockToleranceMs = 30_000;

/**
 * Attributes, all optional: `gateway` (its address; default: this page's own origin), `amount` ("100"), `currency` ("EUR"), `by` ("SEPA"), `lang`
 * ("en", "de"; default: the page's, or else the browser's), `theme` ("light", "dark"; default: the system's), `return-to` (the address of the link
 * "Return to the app"). Events, which bubble: `offer`, `ordered`, `filled`, `finished`, `error`; see `RampBuyNews` for what they contain.
 */
export class RampBuy extends LitElement implements RampBuyElement {
  static override readonly styles = style;
  static override readonly properties = {
    gateway: {},
    amount: {},
    currency: {},
    by: {},
    lang: {},
    theme: {},
    returnTo: { attribute: 'return-to' },
  };
  declare gateway: string | null;
  declare amount: string | null;
  declare currency: string | null;
  declare by: string | null;
  declare theme: string | null;
  declare returnTo: string | null;
  /** Where the customer's orders are remembered, instead of this browser's localStorage. Set it before the element is added to the page. */
  store: Store | undefined;

  #flow: Flow | undefined;
  #state: State = { step: 'loading', open: [], unresolved: [], isSlow: false, isAway: false };
  #form: Form = { amount: '100', currency: undefined, by: undefined, mistake: undefined };
  #isSandbox = false;
  #isForgetful = false;
  /** The address at which the present purchase began. Undefined while the element is not in a page. */
  #begun: string | undefined;
  /** Whether this page may read the answers of the gateway. */
  #isReadable = false;
  /** How far the gateway's clock is ahead of this device's, in milliseconds. Prices and codes end by the gateway's clock. */
  #aheadMs = 0;
  /** Whether the gateway is running, but does not list this page's origin. A note then says so to the page's developer. */
  #isNotListed = false;
  #copied: string | undefined;
  #ticking: ReturnType<typeof setInterval> | undefined;
  readonly #scheme = matchMedia('(prefers-color-scheme: dark)');
  readonly #redraw = (): void => this.requestUpdate();
  readonly #otherTab = ({ key }: StorageEvent): void => {
    // Another tab of this page may have ordered something.
    if (key?.startsWith('ramp-gateway:') === true) this.#flow?.changedElsewhere();
  };

  readonly #shownAgain = ({ persisted }: PageTransitionEvent): void => {
    // The browser had frozen this page, so no news from other tabs reached it.
    if (persisted) this.#flow?.changedElsewhere();
  };

  override connectedCallback(): void {
    super.connectedCallback();
    this.#form = { ...this.#form, amount: this.amount ?? this.#form.amount, currency: this.currency?.toUpperCase(), by: this.by ?? undefined };
    this.#scheme.addEventListener('change', this.#redraw);
    addEventListener('storage', this.#otherTab);
    addEventListener('pageshow', this.#shownAgain);
    this.#ticking = setInterval(() => {
      if (this.#state.step === 'offers' || this.#state.step === 'order') this.requestUpdate();
    }, 1000);
    // The purchase begins with the first update, because a page may set `gateway` just after it has added the element.
    this.requestUpdate();
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#flow?.stop();
    this.#begun = undefined;
    this.#scheme.removeEventListener('change', this.#redraw);
    removeEventListener('storage', this.#otherTab);
    removeEventListener('pageshow', this.#shownAgain);
    clearInterval(this.#ticking);
  }

  get #url(): string {
    return this.gateway ?? location.origin;
  }

  #begin(): void {
    this.#flow?.stop();
    this.#begun = this.#url;
    this.#isSandbox = this.#isNotListed = this.#isReadable = false;
    this.#aheadMs = 0;
    const runtime: Runtime = {
      ...defaultRuntime,
      fetch: async (url, request) => {
        const response = await fetch(url, { ...request, credentials: 'omit', cache: 'no-store' });
        if (this.#flow === flow) this.#heard(response.headers);
        return response;
      },
    };
    const ramp = createRamp({ url: this.#url, store: this.store ?? this.#rememberHere(), runtime });
    const flow: Flow = createFlow({
      ramp,
      runtime: { ...runtime, now: () => this.#now() },
      changed: (state) => this.#changed(state),
      tell: (news) => this.#tell(news),
    });
    this.#flow = flow;
    void flow.start();
  }

  /** Learns from the headers of an answer. That they can be read proves that the gateway lists this page. */
  #heard(headers: Headers): void {
    this.#isReadable = true;
    this.#isNotListed = false;
    this.#isSandbox ||= headers.get('x-ramp-mode') === 'sandbox';
    const aheadMs = Date.parse(headers.get('date') ?? '') - Date.now();
    if (!Number.isNaN(aheadMs)) this.#aheadMs = Math.abs(aheadMs) > clockToleranceMs ? aheadMs : 0;
  }
  #now(): number {
    return Date.now() + this.#aheadMs;
  }

  /** Returns a store in localStorage or, if there is none, in memory. A sandboxed frame has no localStorage, and the user can turn it off. */
  #rememberHere(): Store {
    try {
      localStorage.setItem('ramp-buy:probe', '1');
      localStorage.removeItem('ramp-buy:probe');
      return localStorageStore(localStorage);
    } catch {
      this.#isForgetful = true;
      return memory;
    }
  }

  #changed(state: State): void {
    const was = this.#state;
    this.#state = state;
    this.requestUpdate();
    const isNew = was.step !== state.step || was.order?.stage !== state.order?.stage;
    // Focus on the heading lets a screen reader announce the new screen. The first screen does not take the focus away from the page around it.
    if (isNew && was.step !== 'loading') void this.updateComplete.then(() => this.renderRoot.querySelector('h1')?.focus());
  }

  #tell({ name, detail }: RampBuyNews): void {
    if (name === 'error' && detail.code === 'unreachable') void this.#whetherListed();
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  /**
   * Finds out whether the gateway is down or does not list this page's origin. An ordinary request fails alike in both cases; one that needs no
   * permission (no-cors) fails only if the gateway is down.
   */
  async #whetherListed(): Promise<void> {
    if (new URL(this.#url, location.href).origin === location.origin) return;
    const flow = this.#flow;
    const isUp = await fetch(`${this.#url}/health/live`, { mode: 'no-cors', credentials: 'omit' }).then(
      () => true,
      () => false,
    );
    if (this.#flow !== flow) return;
    this.#isNotListed = isUp && !this.#isReadable;
    this.requestUpdate();
  }

  async #copy(name: string, text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      return; // The browser does not allow it. The customer can still select the text.
    }
    this.#copied = name;
    this.requestUpdate();
    setTimeout(() => {
      this.#copied = undefined;
      this.requestUpdate();
    }, 2000);
  }

  async #save(): Promise<void> {
    const text = await this.#flow?.receipt().catch(() => undefined);
    if (text === undefined) return;
    const href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
    const link = Object.assign(document.createElement('a'), { href, download: `receipt-${this.#state.order?.id ?? ''}.json` });
    link.click();
    URL.revokeObjectURL(href);
  }

  #view(flow: Flow, language: Language): View {
    return {
      state: this.#state,
      flow,
      language,
      words: wordsOf(language),
      now: this.#now(),
      form: this.#form,
      edit: (change) => {
        this.#form = { ...this.#form, ...change };
        this.requestUpdate();
      },
      copied: this.#copied,
      copy: (name, text) => void this.#copy(name, text),
      save: () => void this.#save(),
      // The host page may take this address from its own query, which anyone can write. The address of a script would run in that page.
      returnTo: this.returnTo !== null && mayReturnTo(this.returnTo) ? this.returnTo : undefined,
    };
  }

  override render(): TemplateResult {
    const language = languageOf(this.lang, document.documentElement.lang, ...navigator.languages);
    const flow = this.#flow;
    if (!flow) return html``;
    const view = this.#view(flow, language);
    const { words } = view;
    const isDark = this.theme === 'dark' || (this.theme !== 'light' && this.#scheme.matches);
    return html`<div class=${isDark ? 'box dark' : 'box'} lang=${language} dir="ltr">
      ${this.#isSandbox ? html`<p class="sandbox">${words.sandbox}</p>` : nothing}
      <div aria-live="polite"><h1 tabindex="-1">${this.#title(view)}</h1></div>
      ${this.#isForgetful ? html`<p class="note small">${words.forgetful}</p>` : nothing}
      <div class="screen">${this.#isNotListed ? html`<p class="note bad">${words.notListed(location.origin)}</p>` : nothing} ${this.#screen(view)}</div>
    </div>`;
  }

  #title(view: View): string {
    const { order, step } = this.#state;
    return step === 'order' && order ? stageTitle(view, order) : view.words.title;
  }
  #screen(view: View): TemplateResult {
    const { state, words, flow } = view;
    if (state.step === 'amount') return amountScreen(view);
    if (state.step === 'offers') return offersScreen(view);
    if (state.step === 'order') return orderScreen(view);
    const again = { label: words.tryAgain, run: () => void flow.start() };
    return html`${state.trouble && !state.working ? problem(view, state.trouble, again) : nothing}${waiting(view)}`;
  }

  protected override updated(): void {
    // With another gateway, a new purchase begins.
    if (this.isConnected && this.#begun !== this.#url) this.#begin();
  }
}

if (!customElements.get('ramp-buy')) customElements.define('ramp-buy', RampBuy);
