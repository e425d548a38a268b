import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { fakeIo } from '../../test/fakes/io.ts';
import { FakeTerminal } from '../../test/fakes/terminal.ts';
import { fullScreen, redrawnBlock, type View } from './screen.ts';

/** A view on a fake terminal; `show` sets what is drawn, a frame later. */
function onTerminal(kind: 'full' | 'block', { columns = 20, rows = 6, before = [] as string[] } = {}) {
  const io = fakeIo({ stdoutIsTty: true, stdinIsTty: true, columns, rows });
  const terminal = new FakeTerminal(columns, rows);
  const written: string[] = [];
  io.terminal.err = (text) => {
    written.push(text);
    terminal.write(text);
  };
  const takeOver = io.terminal.takeOver;
  io.terminal.takeOver = (hold) => {
    terminal.write(hold.enter);
    const release = takeOver(hold);
    return () => {
      release();
      terminal.write(hold.leave);
    };
  };
  for (const line of before) terminal.write(`${line}\r\n`);
  let lines: readonly string[] = [];
  const keys: string[] = [];
  const draw = () => lines;
  const view: View = kind === 'full' ? fullScreen(io, draw, (k) => keys.push(k)) : redrawnBlock(io, draw);
  const show = (...next: string[]) => {
    lines = next;
    io.advance(100);
    view.changed();
  };
  return { io, terminal, view, show, written, keys };
}

describe.each(['full', 'block'] as const)('a %s view', (kind) => {
  test('shows exactly the last lines that were drawn, whatever came before', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '世', 'é'), maxLength: 8 }).map((l) => l.trimEnd());
    const frames = fc.array(fc.array(line, { maxLength: 5 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(frames, (frames) => {
        const { terminal, show } = onTerminal(kind);
        for (const frame of frames) show(...frame);
        const last = [...frames.at(-1)!];
        while (last.at(-1) === '') last.pop();
        expect(terminal.screen()).toEqual(last);
      }),
    );
  });

  test('writes only the lines that changed', () => {
    const { show, written } = onTerminal(kind);
    show('first', 'second', 'third');
    written.length = 0;
    show('first', 'other', 'third');
    expect(written.join('')).toContain('other');
    expect(written.join('')).not.toMatch(/first|third/);
    written.length = 0;
    show('first', 'other', 'third');
    expect(written).toEqual([]);
  });

  test('never wraps a line nor scrolls the terminal, wide characters and colours included', () => {
    const { terminal, show } = onTerminal(kind, { columns: 12, rows: 4 });
    show('世界'.repeat(10), '\u001b[31mred red red red red\u001b[0m', 'c', 'd', 'e', 'f', 'g');
    expect(terminal.scrolledOut).toEqual([]);
    expect(terminal.screen()[1]).toMatch(/^red.*…$/);
  });

  test('draws at most ten times a second, and then the latest', () => {
    vi.useFakeTimers();
    const { io, terminal, view, show, written } = onTerminal(kind);
    show('a');
    written.length = 0;
    for (const word of ['b', 'c', 'd']) {
      io.advance(10);
      view.changed();
      expect(word && written).toEqual([]);
    }
    vi.advanceTimersByTime(100);
    vi.useRealTimers();
    expect(terminal.screen()).toEqual(['a']);
    show('z');
    expect(terminal.screen()).toEqual(['z']);
  });

  test('gives everything back at its end, once', () => {
    const { io, terminal, view, show } = onTerminal(kind, { before: ['earlier'] });
    expect(terminal.cursorIsVisible).toBe(false);
    show('a', 'b');
    view.end();
    view.end();
    view.changed();
    expect(terminal.screen()).toEqual(['earlier']);
    expect(terminal.cursor).toEqual({ row: 1, column: 0 });
    expect([terminal.cursorIsVisible, terminal.onSecondBuffer, io.isTakenOver()]).toEqual([true, false, false]);
  });

  test('is silent on what is no terminal, and on a dumb one', () => {
    const pipe = fakeIo();
    const dumb = fakeIo({ stdoutIsTty: true, stdinIsTty: true, env: { TERM: 'dumb' } });
    for (const io of [pipe, dumb]) {
      const draw = () => ['a'];
      const view = kind === 'full' ? fullScreen(io, draw, () => undefined) : redrawnBlock(io, draw);
      view.changed();
      view.end();
      expect([io.stderr(), io.isTakenOver()]).toEqual(['', false]);
    }
  });
});

describe('fullScreen()', () => {
  test('hears keys until its end', () => {
    const { io, view, keys } = onTerminal('full');
    io.press('q');
    view.end();
    io.press('x');
    expect(keys).toEqual(['q']);
  });

  test('draws everything again when the size changes', () => {
    const { io, show, written } = onTerminal('full');
    show('first', 'second');
    written.length = 0;
    io.resize(10, 6);
    expect(written.join('')).toMatch(/2J.*first.*second/s);
  });
});

describe('redrawnBlock()', () => {
  test('stays below what was printed before, also at the foot of the terminal', () => {
    const { terminal, show } = onTerminal('block', { before: ['1', '2', '3', '4'] });
    show('a', 'b', 'c');
    show('a', 'B', 'c');
    expect([...terminal.scrolledOut, ...terminal.screen()]).toEqual(['1', '2', '3', '4', 'a', 'B', 'c']);
  });

  test('a narrower terminal breaks its lines; they are cleared before it is drawn again', () => {
    const { io, terminal, show, written } = onTerminal('block');
    show('0123456789abcdef', 'b');
    written.length = 0;
    // The fake does not break lines; what counts is that we go up by as many rows as a real one makes of them: 2 + 1.
    io.resize(10, 6);
    expect(written[0]).toBe('\u001b[3A\r\u001b[J');
    expect(terminal.screen().at(-1)).toBe('b');
  });

  test('starts below what a shell wrote while the job was stopped', () => {
    const { io, terminal, show } = onTerminal('block');
    show('a');
    terminal.write('[1]+ Stopped\r\n');
    io.resize(20, 6);
    expect(terminal.screen()).toEqual(['a', '[1]+ Stopped', 'a']);
  });
});
