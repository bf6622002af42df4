import { expect, it } from 'vitest';
import { abortSignalOf, Cut, type CutSignal } from './cut.ts';

const makers: Record<string, () => { signal: CutSignal; abort: () => void }> = {
  'an AbortController': () => {
    const controller = new AbortController();
    return { signal: controller.signal, abort: () => controller.abort() };
  },
  'a Cut': () => {
    const cut = new Cut();
    return { signal: cut, abort: () => cut.abort() };
  },
  'the AbortSignal of a Cut': () => {
    const cut = new Cut();
    return { signal: abortSignalOf(cut), abort: () => cut.abort() };
  },
};

it.each(Object.entries(makers))('%s calls each listener once, in sequence, unless it was removed before', (_name, make) => {
  const { signal, abort } = make();
  const called: string[] = [];
  const gone = () => void called.push('gone');
  const object = { name: 'object', handleEvent: () => void called.push(`object, aborted: ${signal.aborted}`) };
  signal.addEventListener('abort', gone, { once: true });
  signal.addEventListener('abort', () => void called.push('first'), { once: true });
  signal.addEventListener('abort', object, { once: true });
  signal.removeEventListener('abort', gone);
  expect([signal.aborted, signal.reason]).toEqual([false, undefined]);
  abort();
  signal.addEventListener('abort', () => void called.push('late'), { once: true });
  abort();
  expect(called).toEqual(['first', 'object, aborted: true']);
  expect(signal.aborted).toBe(true);
  expect(signal.reason).toMatchObject({ name: 'AbortError', message: 'This operation was aborted' });
});

it('a listener that throws does not keep the others from being called', () => {
  const cut = new Cut();
  const called: string[] = [];
  cut.addEventListener('abort', () => {
    throw new Error('the first one');
  });
  cut.addEventListener('abort', () => void called.push('second'));
  expect(() => cut.abort()).toThrow('the first one');
  expect(called).toEqual(['second']);
});

it('a signal that is already aborted gives an aborted AbortSignal with the same reason', () => {
  const cut = new Cut();
  cut.abort();
  const signal = abortSignalOf(cut);
  expect([signal.aborted, signal.reason]).toEqual([true, cut.reason]);
});

it('an AbortSignal stays the same', () => {
  const { signal } = new AbortController();
  expect(abortSignalOf(signal)).toBe(signal);
});
