import { expect, test } from 'vitest';
import { network } from '../../model/network.ts';
import { endpointFinder } from './endpoints.ts';

const file = network.parse({
  version: 1,
  endpoints: [
    { name: 'chat', url: 'https://chat.example/v1' },
    { name: 'other-port', url: 'https://chat.example:8443/v1' },
    { name: 'literal', url: 'http://10.0.0.5:8000' },
    { name: 'six', url: 'https://[2001:db8::5]:7041/' },
    { name: 'listed', url: 'https://gateway.example', addresses: ['10.9.0.0/24'] },
    { name: 'twin-a', url: 'https://twin.example/a' },
    { name: 'twin-b', url: 'https://twin.example/b' },
  ],
});
const find = endpointFinder(file, (name) => (name === 'chat' ? ['192.0.2.7'] : []));

test.each([
  ['by the name in TLS and the port', { place: '198.51.100.1:443', names: ['chat.example'] }, 'chat'],
  ['by name and another port', { place: '198.51.100.1:8443', names: ['chat.example'] }, 'other-port'],
  ['by the address in its URL', { place: '10.0.0.5:8000', names: [] }, 'literal'],
  ['not on another port of that address', { place: '10.0.0.5:8001', names: [] }, null],
  ['by an IPv6 address', { place: '[2001:db8::5]:7041', names: [] }, 'six'],
  [
    'by the addresses that the file lists, whatever TLS asks for',
    { place: '10.9.0.77:443', names: ['x.example'] },
    'listed',
  ],
  ['by an address that was looked up', { place: '192.0.2.7:443', names: [] }, 'chat'],
  ['not by it when TLS asks for another name there', { place: '192.0.2.7:443', names: ['shop.example'] }, null],
  ['not where two are the same on the wire', { place: '198.51.100.1:443', names: ['twin.example'] }, null],
  ['not a server that nobody knows', { place: '198.51.100.1:443', names: [] }, null],
])('an endpoint is found %s', (_, server, name) => {
  expect(find(server)).toBe(name);
});
