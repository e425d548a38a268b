import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { program } from '../fixtures/programs.ts';

/** script(1) of util-linux gives a program a terminal; what it takes to be the keyboard is our pipe. */
const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;
const afterwards = 'echo "code $?"; stty -a | grep -o -e "-*icanon" -e "-*isig" -e " -*echo "';

/** The live view on a real terminal; `act` is called when it shows rounds. @returns all that the terminal was sent */
async function onRealTerminal(act: (keyboard: NodeJS.WritableStream, text: () => string) => void): Promise<string> {
  const words = [process.execPath, ...program, 'trace', '127.0.0.1', '--interval', '0.1'];
  const command = `stty rows 24 cols 80; ${words.map((w) => `'${w}'`).join(' ')}; ${afterwards}`;
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, TERM: 'xterm-256color' },
  });
  let text = '';
  let acted = false;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (acted || !/round [3-9]/.test(text)) return;
    acted = true;
    act(child.stdin, () => text);
  });
  await once(child, 'close');
  return text;
}

const expectRestored = (text: string) => {
  expect(text).toContain('\u001b[?1049h');
  const end = text.slice(text.lastIndexOf('\u001b[?1049l'));
  expect(text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(text.lastIndexOf('\u001b[?25l'));
  // A terminal in its normal state: lines, signals by keys, echo.
  expect(end).toMatch(/(^|[^-])icanon/);
  expect(end).toMatch(/(^|[^-])isig/);
  expect(end).toMatch(/ echo /);
};

describe.skipIf(!hasScript)(
  `the live view on a real terminal${hasScript ? '' : ' (wants script of util-linux)'}`,
  () => {
    test('moves, quits by q and leaves the terminal as it was, with the report on it', async () => {
      const text = await onRealTerminal((keyboard) => {
        keyboard.write('\u001b[Bh');
        setTimeout(() => keyboard.write('hq'), 500);
      });
      expectRestored(text);
      expect(text).toContain('begin all counts anew');
      expect(text.slice(text.lastIndexOf('\u001b[?1049l'))).toMatch(/Verdict[^]*code 0/);
    });

    test('Ctrl-C ends it with 130, and the terminal is as it was', async () => {
      const text = await onRealTerminal((keyboard) => keyboard.write('\u0003'));
      expectRestored(text);
      expect(text).toMatch(/interrupted[^]*code 130/);
    });

    test('a second Ctrl-C does not leave the terminal behind in raw mode', async () => {
      const text = await onRealTerminal((keyboard) => {
        keyboard.write('\u0003');
        setTimeout(() => keyboard.write('\u0003'), 350);
      });
      expectRestored(text);
      expect(text).toContain('code 130');
    });
  },
);
