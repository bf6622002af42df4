/** `<ramp-console>`: the operator's console. It keeps the token in memory only: a reload asks for it again. */
import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { createDesk } from './desk.ts';
import type { Filter } from './figures.ts';
import { findScreen } from './find-screen.ts';
import { frame } from './frame.ts';
import { lockedScreen } from './locked-screen.ts';
import { orderScreen } from './order-screen.ts';
import { hashOf, placeOf } from './place.ts';
import { providersScreen } from './providers-screen.ts';
import { waitingScreen } from './waiting-screen.ts';
import { winsScreen } from './wins-screen.ts';
import './chart.ts';

const hash = async (text: string): Promise<string | undefined> => {
  // Without https, browsers have no `subtle` except on loopback.
  const { subtle } = crypto as { subtle?: SubtleCrypto };
  if (!subtle) return undefined;
  const digest = new Uint8Array(await subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
};

export class RampConsole extends LitElement {
  readonly #desk = createDesk(
    {
      fetch: async (...request) => await fetch(...request),
      now: () => Date.now(),
      sleep: async (ms) => await new Promise((done) => setTimeout(done, ms)),
      hash,
      isSeen: () => !document.hidden,
    },
    () => this.requestUpdate(),
  );
  #filter: Filter = {};
  #shown = '';
  readonly #seen = (): void => {
    if (!document.hidden) void this.#desk.refresh();
  };
  readonly #moved = (): void => void this.#desk.go(placeOf(location.hash));

  /** Without a shadow root, so that the page's style sheet applies. */
  protected override createRenderRoot(): this {
    return this;
  }
  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener('hashchange', this.#moved);
    document.addEventListener('visibilitychange', this.#seen);
    this.#moved();
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener('hashchange', this.#moved);
    document.removeEventListener('visibilitychange', this.#seen);
    this.#desk.lock();
  }

  override render(): TemplateResult {
    const desk = this.#desk;
    return desk.state().isOpen ? frame(desk, this.#screen()) : lockedScreen(desk);
  }

  #screen(): TemplateResult {
    const desk = this.#desk;
    switch (desk.state().place.screen) {
      case 'waiting':
        return waitingScreen(desk);
      case 'find':
      case 'list':
        return findScreen(desk);
      case 'order':
        return orderScreen(desk);
      case 'providers':
        return providersScreen(desk);
      case 'wins':
        return winsScreen(desk, {
          filter: this.#filter,
          choose: (filter) => {
            this.#filter = filter;
            this.requestUpdate();
          },
        });
      default:
        return html`${nothing}`;
    }
  }

  protected override updated(): void {
    const { isOpen, place, sheet, asking } = this.#desk.state();
    const dialog = this.querySelector('dialog');
    if (asking && dialog && !dialog.open) dialog.showModal();
    if (!asking && dialog?.open === true) dialog.close();
    // A screen reader announces the heading of a new screen once its content is there.
    // The next operator begins with all figures.
    if (!isOpen) this.#filter = {};
    const now = isOpen ? hashOf(place) : 'locked';
    if (now === this.#shown) return;
    const heading = this.querySelector('h1');
    document.title = `${heading?.textContent.trim().replaceAll(/\s+/g, ' ') ?? 'Console'} · ramp-gateway`;
    if (isOpen && place.screen === 'order' && !sheet.card && sheet.trouble === undefined) return;
    const isFirst = this.#shown === '';
    this.#shown = now;
    if (!isFirst) heading?.focus();
  }
}

if (!customElements.get('ramp-console')) customElements.define('ramp-console', RampConsole);
