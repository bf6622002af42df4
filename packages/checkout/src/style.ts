import { unsafeCSS } from 'lit';

/** Colours and shape depend on the custom properties `--ramp-…`, which a host page may set. No other style of the host page gets in: see `.box`. */
const text = `
  :host {
    display: block;
    max-inline-size: max(30rem, 480px);
    margin-inline: auto;
  }
  :host([hidden]) {
    display: none;
  }
  /* Without this, the fonts, colours and direction of the host page would be inherited. */
  .box {
    all: initial;
    --accent: var(--ramp-accent, #b4500b);
    --on-accent: var(--ramp-on-accent, #fff);
    --surface: var(--ramp-surface, #fff);
    --raised: var(--ramp-raised, #f6f5f2);
    --text: var(--ramp-text, #1c1b1a);
    --muted: var(--ramp-muted, #63605b);
    --line: var(--ramp-line, #dcd9d3);
    --bad: var(--ramp-bad, #a3201a);
    --bad-surface: var(--ramp-bad-surface, #fdf0ee);
    --good: var(--ramp-good, #1d6b3a);
    --radius: var(--ramp-radius, 0.75rem);
    /* What 1rem means below. */
    --rem: max(1rem, 16px);
    color-scheme: light;
    display: block;
    box-sizing: border-box;
    padding: clamp(1rem, 5vw, 1.75rem);
    background: var(--surface);
    color: var(--text);
    border: 1px solid var(--line);
    border-radius: calc(var(--radius) * 1.5);
    font: 400 1rem/1.5 var(--ramp-font, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif);
    overflow-wrap: anywhere;
  }
  .box.dark {
    --accent: var(--ramp-accent, #ffab5e);
    --on-accent: var(--ramp-on-accent, #241300);
    --surface: var(--ramp-surface, #1b1a19);
    --raised: var(--ramp-raised, #272523);
    --text: var(--ramp-text, #f1efec);
    --muted: var(--ramp-muted, #b0aba4);
    --line: var(--ramp-line, #3e3b38);
    --bad: var(--ramp-bad, #ff9d94);
    --bad-surface: var(--ramp-bad-surface, #35201e);
    --good: var(--ramp-good, #7fd6a0);
    color-scheme: dark;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  h1,
  h2,
  p,
  ul,
  ol,
  dl,
  dd,
  figure,
  fieldset {
    margin: 0;
    padding: 0;
    border: 0;
    list-style: none;
  }
  h1 {
    font-size: 1.375rem;
    line-height: 1.25;
    font-weight: 650;
    letter-spacing: -0.01em;
    text-wrap: balance;
  }
  h1:focus {
    outline: none;
  }
  h2 {
    font-size: 1rem;
    font-weight: 600;
  }
  .screen,
  form,
  section,
  .pay {
    display: grid;
    gap: 1rem;
  }
  .screen > *,
  form > * {
    min-inline-size: 0;
  }
  .screen {
    margin-block-start: 1.25rem;
  }
  .muted {
    color: var(--muted);
  }
  .small {
    font-size: 0.875rem;
    line-height: 1.4;
  }
  .center {
    text-align: center;
  }
  .sandbox {
    margin-block-end: 1rem;
    padding: 0.375rem 0.75rem;
    border-radius: var(--radius);
    background: var(--raised);
    color: var(--muted);
    font-size: 0.8125rem;
    line-height: 1.4;
  }

  /* Controls: at least 44 px to touch. */
  button,
  .button,
  input,
  select {
    font: inherit;
    color: inherit;
  }
  button,
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    min-block-size: 2.75rem;
    padding: 0.5rem 1.125rem;
    border: 1px solid transparent;
    border-radius: var(--radius);
    background: none;
    font-weight: 600;
    text-align: center;
    text-decoration: none;
    cursor: pointer;
  }
  .first {
    background: var(--accent);
    color: var(--on-accent);
  }
  .second {
    border-color: var(--line);
    background: var(--surface);
    color: var(--text);
  }
  .quiet {
    padding-inline: 0.5rem;
    color: var(--accent);
  }
  button:disabled {
    opacity: 0.45;
    cursor: default;
  }
  :is(.first, .second, .row, .copy):hover:enabled,
  a.button:hover {
    filter: brightness(0.94);
  }
  .dark :is(.first, .second, .row, .copy):hover:enabled {
    filter: brightness(1.12);
  }
  :is(button, a, input, select, summary):focus-visible,
  .way:focus-within {
    outline: 3px solid var(--accent);
    outline-offset: 2px;
  }
  form > .first {
    inline-size: 100%;
  }

  .label {
    font-size: 0.875rem;
    font-weight: 600;
    color: var(--muted);
    padding: 0;
  }
  form .label {
    margin-block-end: -0.5rem;
  }
  fieldset .label {
    margin-block-end: 0.5rem;
  }
  .amount {
    display: flex;
    border: 1px solid var(--muted);
    border-radius: var(--radius);
    background: var(--surface);
  }
  .amount:focus-within {
    outline: 3px solid var(--accent);
    outline-offset: 1px;
  }
  .amount :is(input, select) {
    min-block-size: 3.5rem;
    border: 0;
    background: none;
    outline: none;
    font-size: 1.5rem;
    font-weight: 600;
    font-variant-numeric: tabular-nums;
  }
  .amount input {
    flex: 1;
    inline-size: 100%;
    min-inline-size: 0;
    padding: 0 1rem;
  }
  .amount select {
    padding: 0 0.5rem 0 0.75rem;
    margin-inline-end: 0.5rem;
    border-inline-start: 1px solid var(--line);
    font-size: 1.125rem;
    cursor: pointer;
  }
  select option {
    background: var(--surface);
    color: var(--text);
  }
  .mistake {
    color: var(--bad);
    font-size: 0.875rem;
  }
  .mistake:empty,
  .mistake:not(:has(*)):empty {
    display: none;
  }
  .way {
    display: flex;
    align-items: center;
    flex-wrap: wrap;
    gap: 0.125rem 0.75rem;
    min-block-size: 3rem;
    padding: 0.5rem 1rem;
    border: 1px solid var(--line);
    border-block-start-width: 0;
    cursor: pointer;
  }
  .way:first-of-type {
    border-block-start-width: 1px;
    border-start-start-radius: var(--radius);
    border-start-end-radius: var(--radius);
  }
  .way:last-of-type {
    border-end-start-radius: var(--radius);
    border-end-end-radius: var(--radius);
  }
  .way:has(:checked) {
    background: var(--raised);
    font-weight: 600;
  }
  .way input {
    inline-size: 1.125rem;
    block-size: 1.125rem;
    margin: 0;
    accent-color: var(--accent);
    outline: none;
  }
  .way .muted {
    margin-inline-start: auto;
    font-weight: 400;
  }

  .asked,
  .line {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.25rem 0.75rem;
  }
  .asked {
    justify-content: space-between;
    margin-block-start: -0.75rem;
    color: var(--muted);
  }
  /* The text of a button without a frame is in line with what is above and below. */
  .asked > .quiet {
    margin-inline-end: -0.5rem;
  }
  .offers {
    display: grid;
    gap: 0.75rem;
  }
  .offers:empty {
    display: none;
  }
  .offer {
    display: grid;
    gap: 0.5rem;
    padding: 0.875rem 1rem;
    border: 1px solid var(--line);
    border-radius: var(--radius);
  }
  .offer.best {
    border-color: var(--accent);
    box-shadow: inset 0 0 0 1px var(--accent);
  }
  .offer .line + .line {
    flex-wrap: nowrap;
    justify-content: space-between;
  }
  .line > button {
    flex: none;
  }
  .gets {
    display: grid;
    min-inline-size: 0;
  }
  .gets strong {
    font-size: 1.25rem;
    line-height: 1.3;
    font-weight: 650;
    font-variant-numeric: tabular-nums;
  }
  .badge {
    padding: 0.0625rem 0.5rem;
    border-radius: 1rem;
    background: var(--accent);
    color: var(--on-accent);
    font-size: 0.75rem;
    font-weight: 600;
  }
  .badge.soft {
    background: var(--raised);
    color: var(--muted);
  }
  .warn::before {
    content: '⚠ ' / '';
  }
  .warn {
    color: var(--muted);
  }
  summary {
    min-block-size: 2.75rem;
    display: flex;
    align-items: center;
    gap: 0.5rem;
    color: var(--muted);
    cursor: pointer;
  }
  summary::before {
    content: '▸' / '';
  }
  details[open] summary::before {
    content: '▾' / '';
  }
  .reasons {
    display: grid;
    gap: 0.5rem;
    font-size: 0.9375rem;
  }

  .note {
    display: grid;
    gap: 0.5rem;
    justify-items: start;
    padding: 0.75rem 1rem;
    border-radius: var(--radius);
    background: var(--raised);
  }
  .note.bad {
    background: var(--bad-surface);
    color: var(--bad);
  }
  .note summary {
    color: inherit;
  }
  .note details > * + * {
    margin-block-start: 0.5rem;
  }
  .waiting {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: center;
    gap: 0.75rem;
    min-block-size: 2.75rem;
  }
  .spinner {
    inline-size: 1.25rem;
    block-size: 1.25rem;
    border: 3px solid var(--line);
    border-block-start-color: var(--accent);
    border-radius: 50%;
    animation: turn 0.9s linear infinite;
  }
  @keyframes turn {
    to {
      rotate: 1turn;
    }
  }
  @media (prefers-reduced-motion: reduce) {
    .spinner {
      animation-duration: 4s;
    }
  }

  .open {
    gap: 0.5rem;
    padding-block-end: 1rem;
    border-block-end: 1px solid var(--line);
  }
  .row {
    display: grid;
    justify-items: start;
    inline-size: 100%;
    margin-block-start: 0.5rem;
    border-color: var(--line);
    background: var(--raised);
    font-weight: 500;
    text-align: start;
  }

  .steps {
    display: grid;
    grid-template-columns: repeat(4, 1fr);
    gap: 0.375rem;
    font-size: 0.75rem;
    line-height: 1.3;
    color: var(--muted);
  }
  .steps li {
    padding-block-start: 0.5rem;
    border-block-start: 4px solid var(--line);
    overflow-wrap: normal;
    hyphens: auto;
  }
  .steps .done {
    border-color: var(--good);
  }
  .steps .now {
    border-color: var(--accent);
    color: var(--text);
    font-weight: 600;
  }
  .once {
    font-weight: 600;
  }
  .pay dl > div,
  .summary > div {
    display: grid;
    grid-template-columns: 1fr auto;
    align-items: center;
    gap: 0 0.75rem;
    padding-block: 0.5rem;
    border-block-end: 1px solid var(--line);
  }
  .pay dd:nth-of-type(2) {
    grid-column: 2;
    grid-row: 1 / span 2;
  }
  .pay dd:nth-of-type(1) {
    font-weight: 600;
    font-variant-numeric: tabular-nums;
  }
  dt {
    color: var(--muted);
    font-size: 0.875rem;
    overflow-wrap: normal;
    hyphens: auto;
  }
  dt::first-letter {
    text-transform: uppercase;
  }
  .copy {
    padding-inline: 0.5rem;
    white-space: nowrap;
    color: var(--accent);
    font-size: 0.875rem;
  }
  .summary {
    padding-block-start: 0.25rem;
    font-size: 0.9375rem;
  }
  .summary > div {
    grid-template-columns: minmax(5.5rem, 7.5rem) 1fr;
    padding-block: 0.375rem;
  }
  .summary > div:last-child,
  .pay dl > div:last-child {
    border: 0;
  }
  .id {
    font-size: 0.8125rem;
    color: var(--muted);
  }
  figure {
    display: grid;
    justify-items: center;
    gap: 0.5rem;
  }
  .qr {
    inline-size: min(100%, 15rem);
    block-size: auto;
    border-radius: calc(var(--radius) / 2);
  }
  .claim .qr {
    inline-size: min(100%, 18rem);
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.5rem;
  }
  .actions > * {
    flex: 1 1 auto;
  }
`;

/**
 * Replaces `rem` by `var(--rem)`, which is at least 16 px. A larger root font is the customer's wish, and is followed. A smaller one is only the unit
 * that the host page counts in, as with `html { font-size: 62.5% }`.
 */
export const style = unsafeCSS(text.replaceAll(/(?<!max\(|[\d.])(-?[\d.]+)rem\b/g, 'calc(var(--rem) * $1)'));
