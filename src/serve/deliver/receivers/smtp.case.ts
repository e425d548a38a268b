import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Behaviour, Peer } from '../receiver.case.ts';
import { canary } from '../receiver.case.ts';

/** A small mail server (RFC 5321) with AUTH PLAIN, that takes everything, or fails in one way. */
export async function smtpPeer(behaviour: Behaviour): Promise<Peer> {
  const mails: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    if (behaviour === 'hangs') return;
    if (behaviour === 'resets') {
      socket.resetAndDestroy();
      return;
    }
    talk(socket, behaviour, mails);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    receiver: { type: 'email', urlEnv: 'SMTP', from: 'inferpath@example.com', to: ['oncall@example.com'] },
    env: { SMTP: `smtp://watch:${canary}@localhost:${port}` },
    messages: () => mails.map(plainText),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function talk(socket: Socket, behaviour: Behaviour, mails: string[]): void {
  const say = (line: string) => socket.write(`${line}\r\n`);
  let buffer = '';
  let isData = false;
  const onLine = (line: string) => {
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'EHLO') return say('250-mail.example\r\n250 AUTH PLAIN');
    if (verb === 'AUTH') {
      const [, user, password] = Buffer.from(line.split(' ')[2] ?? '', 'base64')
        .toString()
        .split('\0');
      return say(user === 'watch' && password === canary ? '235 welcome' : '535 wrong');
    }
    if (verb === 'MAIL' && behaviour === 'refuses') return say(`550 no mail of ${canary}`);
    if (verb === 'MAIL' && behaviour === 'fails') return say(`451 not now, ${canary}`);
    if (verb === 'MAIL' && behaviour === 'busy') return say('421 too many');
    if (verb === 'QUIT') return socket.end('221 bye\r\n');
    isData = verb === 'DATA';
    return say(isData ? '354 go on' : '250 ok');
  };
  say('220 mail.example ESMTP');
  socket.on('data', (chunk) => {
    buffer += chunk.toString('latin1');
    for (;;) {
      const end = buffer.indexOf(isData ? '\r\n.\r\n' : '\r\n');
      if (end < 0) return;
      const part = buffer.slice(0, end);
      buffer = buffer.slice(end + (isData ? 5 : 2));
      if (isData) {
        mails.push(part);
        isData = false;
        say(`250 queued for ${canary}`);
      } else onLine(part);
    }
  });
}

/** Header and body as a reader sees them: unfolded, and without quoted-printable or base64 (RFC 2045, 2047). */
function plainText(mail: string): string {
  const gap = mail.indexOf('\r\n\r\n');
  const head = mail.slice(0, gap).replaceAll(/\r\n[ \t]+/g, ' ');
  const body = mail.slice(gap + 4);
  if (/^content-transfer-encoding: base64/im.test(head))
    return `${head}\n\n${Buffer.from(body, 'base64').toString('utf8')}`;
  const octets = body
    .replaceAll(/=\r\n/g, '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return `${head}\n\n${Buffer.from(octets, 'latin1').toString('utf8')}`;
}
