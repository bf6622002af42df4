/** `<ramp-chart>`: lines over time, drawn by uPlot. What they show is also in the table below, so the picture itself has only a name. */
import { html, LitElement, nothing, type TemplateResult } from 'lit';
import uPlot from 'uplot';
import type { Lines } from './figures.ts';

/** No more lines than this can be told apart. The style sheet has a colour for each. */
export const mostLines = 8;
const height = 220;

export class RampChart extends LitElement {
  static override readonly properties = { data: { attribute: false }, unit: {}, name: {} };
  declare data: Lines | undefined;
  declare unit: string;
  declare name: string;
  #plot: uPlot | undefined;
  #drawn = '';
  readonly #size = new ResizeObserver(() => this.#plot?.setSize({ width: this.#width, height }));
  readonly #scheme = matchMedia('(prefers-color-scheme: dark)');
  readonly #redraw = (): void => {
    this.#drawn = '';
    this.requestUpdate();
  };

  /** Without a shadow root, so that the page's style sheet applies. */
  protected override createRenderRoot(): this {
    return this;
  }
  override connectedCallback(): void {
    super.connectedCallback();
    this.#size.observe(this);
    this.#scheme.addEventListener('change', this.#redraw);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#size.disconnect();
    this.#scheme.removeEventListener('change', this.#redraw);
    this.#plot?.destroy();
    this.#plot = undefined;
    this.#drawn = '';
  }
  get #width(): number {
    return Math.max(200, Math.floor(this.clientWidth));
  }

  override render(): TemplateResult {
    const { lines = [] } = this.data ?? {};
    return html`<div class="plot" role="img" aria-label=${this.name}></div>
      <ul class="legend">
        ${lines.map(({ provider }, n) => html`<li><span class="swatch c${n}"></span>${provider}</li>`)}
      </ul>
      ${this.data?.x.length === 1 ? html`<p class="muted">One point so far.</p>` : nothing}`;
  }

  protected override updated(): void {
    const place = this.querySelector<HTMLElement>('.plot');
    const text = JSON.stringify([this.data, this.unit]);
    if (!place || !this.data || text === this.#drawn) return;
    this.#drawn = text;
    this.#plot?.destroy();
    const style = getComputedStyle(this);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const axis: uPlot.Axis = { stroke: colour('--muted'), grid: { stroke: colour('--line'), width: 1 }, ticks: { stroke: colour('--line'), width: 1 } };
    const { x, lines } = this.data;
    this.#plot = new uPlot(
      {
        width: this.#width,
        height,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
        legend: { show: false },
        cursor: { show: false },
        axes: [
          { ...axis, space: 64, values: (_plot, seconds) => seconds.map((one) => timeText(one, x)) },
          { ...axis, size: 72, values: (_plot, values) => values.map((value) => `${value} ${this.unit}`) },
        ],
        series: [{}, ...lines.map((_line, n): uPlot.Series => ({ stroke: colour(`--c${n}`), width: 2, spanGaps: true, points: { show: true, size: 5 } }))],
      },
      [x, ...lines.map(({ values }) => values)],
      place,
    );
  }
}

/** Returns the hour or, on a chart of more than two days, the day. In UTC, like all times here. */
const timeText = (seconds: number, x: readonly number[]): string => {
  const iso = new Date(seconds * 1000).toISOString();
  return (x.at(-1) ?? 0) - (x[0] ?? 0) > 2 * 86_400 ? iso.slice(5, 10) : iso.slice(11, 16);
};

if (!customElements.get('ramp-chart')) customElements.define('ramp-chart', RampChart);

declare global {
  interface HTMLElementTagNameMap {
    'ramp-chart': RampChart;
  }
}
