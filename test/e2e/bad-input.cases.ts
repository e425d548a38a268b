/** Wrong network files and command lines with what has to be said about each, to the letter. */

/** A file that is wrong in one way; `says` is every line of the answer without the name of the file. */
export interface BadFile {
  name: string;
  yaml: string;
  says: string[];
}

const v = 'version: 1\n';
const ep = 'endpoints:\n  - name: a\n    url: http://h\n';

export const badFiles: readonly BadFile[] = [
  {
    name: 'an empty file',
    yaml: '',
    says: [
      '1:1: file: found no value; allowed: mapping with the keys version, vantage, sites, endpoints, workloads, targets, watch, carriers, riskGroups, nodes, links, models, jobs, demands, requirements, quotes, candidates, planning, security, policy',
    ],
  },
  {
    name: 'only a comment',
    yaml: '# nothing yet\n',
    says: [
      '1:1: file: found no value; allowed: mapping with the keys version, vantage, sites, endpoints, workloads, targets, watch, carriers, riskGroups, nodes, links, models, jobs, demands, requirements, quotes, candidates, planning, security, policy',
    ],
  },
  {
    name: 'a text instead of a mapping',
    yaml: 'hello\n',
    says: [
      '1:1: file: found "hello"; allowed: mapping with the keys version, vantage, sites, endpoints, workloads, targets, watch, carriers, riskGroups, nodes, links, models, jobs, demands, requirements, quotes, candidates, planning, security, policy',
    ],
  },
  {
    name: 'a list instead of a mapping',
    yaml: '- version: 1\n',
    says: [
      '1:1: file: found a list; allowed: mapping with the keys version, vantage, sites, endpoints, workloads, targets, watch, carriers, riskGroups, nodes, links, models, jobs, demands, requirements, quotes, candidates, planning, security, policy',
    ],
  },
  {
    name: 'a tab as indentation',
    yaml: 'version: 1\nendpoints:\n\t- name: a\n',
    says: ['3:1: file: found a tab; allowed: spaces as indentation'],
  },
  {
    name: 'an open bracket',
    yaml: 'version: 1\nendpoints: [\n',
    says: ['3:1: file: is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]'],
  },
  {
    name: 'an open quote',
    yaml: 'version: 1\nendpoints:\n  - name: "a\n',
    says: ['4:1: file: is not YAML: Missing closing "quote'],
  },
  {
    name: 'a wrong indentation',
    yaml: 'version: 1\nendpoints:\n  - name: a\n   url: http://h\n',
    says: ['4:1: file: is not YAML: Sequence item without - indicator'],
  },
  {
    name: 'two documents',
    yaml: `${v}${ep}---\nversion: 1\n`,
    says: ['5:1: file: found a second document ("---"); allowed: one document'],
  },
  {
    name: 'a tag',
    yaml: `version: !!js/function 1\n${ep}`,
    says: [
      '1:10: file: found the tag "!!js/function"; allowed: plain YAML without tags',
      '1:24: version: found "1"; allowed: the number 1',
    ],
  },
  {
    name: 'an alias to nothing',
    yaml: `${v}endpoints: *all\n`,
    says: ['1:1: file: found an alias without its anchor; allowed: anchors before aliases'],
  },
  {
    name: 'an alias bomb',
    yaml: 'a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c]\n',
    says: ['1:1: file: found more aliases than can be trusted; allowed: at most 100'],
  },
  {
    name: 'brackets without end',
    yaml: `${v}endpoints: ${'['.repeat(100_000)}\n`,
    says: ['2:62: file: found too deep nesting; allowed: 50 brackets and 200 columns of indentation'],
  },
  {
    name: 'dashes without end',
    yaml: `${'- '.repeat(100_000)}\n`,
    says: ['1:201: file: found too deep nesting; allowed: 50 brackets and 200 columns of indentation'],
  },
  {
    name: 'half a million values',
    yaml: `${v}endpoints: [${'1,'.repeat(500_000)}]\n`,
    says: ['2:133337: file: found more values than can be trusted; allowed: a file of some thousand values'],
  },
  {
    name: 'a key that stands twice',
    yaml: `${v}version: 1\n${ep}`,
    says: ['2:1: version: found the key a second time; allowed: once'],
  },
  {
    name: 'a merge key',
    yaml: `${v}base: &b { name: a }\nendpoints:\n  - { <<: *b, url: http://h }\n`,
    says: [
      '2:1: base: found an unknown key; allowed: version, vantage, sites, endpoints, workloads, targets, watch, carriers, riskGroups, nodes, links, models, jobs, demands, requirements, quotes, candidates, planning, security, policy',
      '4:5: endpoints[0].name: found nothing; allowed: 1 to 63 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit',
      '4:7: endpoints[0].<<: found an unknown key; allowed: name, url, dialect, model, auth, site, addresses, backupOf, reflector, emulated, workload, requests',
    ],
  },
  { name: 'no version', yaml: ep, says: ['1:1: version: found nothing; allowed: the number 1'] },
  {
    name: 'a version of the future',
    yaml: `version: 2\n${ep}`,
    says: ['1:10: version: found 2; allowed: the number 1'],
  },
  {
    name: 'a policy with names of nothing, circles and addresses that do not say what they mean',
    yaml: `${v}${ep}policy:
  groups:
    - { name: a, cidrs: [10.0.0.1/8, 300.0.0.1, '::ffff:10.0.0.0/104'] }
    - { name: one, groups: [two], endpoints: [a] }
    - { name: two, groups: [one] }
  services:
    - { name: web, protocol: icmp, ports: [80, 9-3] }
  allow:
    - { name: x, from: [on], to: [one], services: [wep, tcp/70000], why: needed }
    - { name: x, from: [any], to: [one], why: "" }
`,
    says: [
      '7:15: policy.groups[0].name: found "a"; allowed: no name of a site or an endpoint and not "any"',
      '7:26: policy.groups[0].cidrs[0]: found "10.0.0.1/8"; allowed: 10.0.0.0/8 or a single address',
      '7:38: policy.groups[0].cidrs[1]: found "300.0.0.1"; allowed: a network like 10.0.0.0/8 or fd00::/8, or one address',
      '7:49: policy.groups[0].cidrs[2]: found "::ffff:10.0.0.0/104"; allowed: written as IPv4, because no packet on a network has such an address',
      '8:29: policy.groups[1].groups[0]: found "two"; allowed: a group that does not lead back to this one',
      '8:47: policy.groups[1].endpoints[0]: found "a"; allowed: something with addresses; "a" needs the key addresses',
      '9:29: policy.groups[2].groups[0]: found "one"; allowed: a group that does not lead back to this one',
      '11:43: policy.services[0].ports: found a list; allowed: absent, because icmp has no ports',
      '11:48: policy.services[0].ports[1]: found "9-3"; allowed: a port from 0 to 65535 or a range like 30000-30010',
      '13:25: policy.allow[0].from[0]: found "on"; allowed: a known group, site or endpoint: a, one, two, any; did you mean one?',
      '13:52: policy.allow[0].services[0]: found "wep"; allowed: a known service: web, any; did you mean web?',
      '13:57: policy.allow[0].services[1]: found "tcp/70000"; allowed: the name of a service, or a protocol with a port, like tcp/443 or udp/3000-3010',
      '14:7: policy.allow[1].services: found nothing; allowed: names of services wherever "to" has more than endpoints',
      '14:15: policy.allow[1].name: found "x"; allowed: a name that stands only once in allow',
      '14:47: policy.allow[1].why: found ""; allowed: text of 1 to 500 characters',
    ],
  },
  {
    name: 'a version in quotes',
    yaml: `version: "1"\n${ep}`,
    says: ['1:10: version: found "1"; allowed: the number 1'],
  },
  { name: 'no endpoints', yaml: v, says: ['1:1: endpoints: found nothing; allowed: list of 1 to 1000'] },
  {
    name: 'an empty list of endpoints',
    yaml: `${v}endpoints: []\n`,
    says: ['2:12: endpoints: found an empty list; allowed: list of 1 to 1000'],
  },
  {
    name: 'endpoints as a mapping',
    yaml: `${v}endpoints:\n  a: http://h\n`,
    says: ['3:3: endpoints: found a mapping with a; allowed: list of 1 to 1000'],
  },
  {
    name: 'an endpoint that is only a URL',
    yaml: `${v}endpoints:\n  - http://h\n`,
    says: [
      '3:5: endpoints[0]: found "http://h"; allowed: mapping with the keys name, url, dialect, model, auth, site, addresses, backupOf, reflector, emulated, workload, requests',
    ],
  },
  {
    name: 'an endpoint without URL',
    yaml: `${v}endpoints:\n  - name: a\n`,
    says: ['3:5: endpoints[0].url: found nothing; allowed: http or https URL'],
  },
  {
    name: 'a URL without scheme',
    yaml: `${v}endpoints:\n  - { name: a, url: llm.example.com/v1 }\n`,
    says: ['3:21: endpoints[0].url: found "llm.example.com/v1"; allowed: http or https URL'],
  },
  {
    name: 'a URL of another scheme',
    yaml: `${v}endpoints:\n  - { name: a, url: "ftp://h" }\n`,
    says: ['3:21: endpoints[0].url: found "ftp://h"; allowed: http or https URL'],
  },
  {
    name: 'a password in a URL',
    yaml: `${v}endpoints:\n  - { name: a, url: "https://me:hunter2@h/v1" }\n`,
    says: [
      '3:21: endpoints[0].url: found a text that is not shown; allowed: a URL without user name and password; secrets come by auth.env or auth.file',
    ],
  },
  {
    name: 'a key in a query',
    yaml: `${v}endpoints:\n  - { name: a, url: "https://h/v1?api-version=3&key=AIzaSecret" }\n`,
    says: [
      '3:21: endpoints[0].url: found a text that is not shown; allowed: a URL without the secret in its parameter key; secrets come by auth.env or auth.file',
    ],
  },
  {
    name: 'an API key as auth',
    yaml: `${v}endpoints:\n  - { name: a, url: "https://h", auth: sk-verysecret }\n`,
    says: ['3:40: endpoints[0].auth: found a text that is not shown; allowed: mapping with the keys env, file, header'],
  },
  {
    name: 'an API key as variable name',
    yaml: `${v}endpoints:\n  - { name: a, url: "https://h", auth: { env: sk-verysecret } }\n`,
    says: [
      '3:47: endpoints[0].auth.env: found a text that is not shown; allowed: the name of an environment variable, like INFERENCE_API_KEY',
    ],
  },
  {
    name: 'an API key under a key of its own',
    yaml: `${v}endpoints:\n  - { name: a, url: "https://h", auth: { key: sk-verysecret } }\n`,
    says: [
      '3:40: endpoints[0].auth: found a mapping with key; allowed: exactly one of the keys env and file',
      '3:42: endpoints[0].auth.key: found an unknown key; allowed: env, file, header; keys themselves never stand in this file',
    ],
  },
  {
    name: 'two sources of a key',
    yaml: `${v}endpoints:\n  - { name: a, url: "https://h", auth: { env: K, file: k.txt } }\n`,
    says: ['3:40: endpoints[0].auth: found a mapping with env, file; allowed: exactly one of the keys env and file'],
  },
  {
    name: 'a header that is none',
    yaml: `${v}endpoints:\n  - { name: a, url: "https://h", auth: { env: K, header: "x y" } }\n`,
    says: ['3:58: endpoints[0].auth.header: found a text that is not shown; allowed: the name of an HTTP header'],
  },
  {
    name: 'a name with spaces and capitals',
    yaml: `${v}endpoints:\n  - { name: My LLM, url: "https://h" }\n`,
    says: [
      '3:13: endpoints[0].name: found "My LLM"; allowed: 1 to 63 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit',
    ],
  },
  {
    name: 'the name client',
    yaml: `${v}endpoints:\n  - { name: client, url: "https://h" }\n`,
    says: [
      '3:13: endpoints[0].name: found "client"; allowed: another name, because reports call this tool itself "client"',
    ],
  },
  {
    name: 'a name twice',
    yaml: `${v}endpoints:\n  - { name: a, url: "https://h" }\n  - { name: a, url: "https://i" }\n`,
    says: ['4:13: endpoints[1].name: found "a"; allowed: a name that stands only once in endpoints'],
  },
  {
    name: 'a misspelled key',
    yaml: `${v}endpoints:\n  - { name: a, ulr: "https://h" }\n`,
    says: [
      '3:5: endpoints[0].url: found nothing; allowed: http or https URL',
      '3:16: endpoints[0].ulr: found an unknown key; allowed: name, url, dialect, model, auth, site, addresses, backupOf, reflector, emulated, workload, requests; did you mean url?',
    ],
  },
  {
    name: 'a misspelled section',
    yaml: `${v}${ep}site: []\n`,
    says: [
      '5:1: site: found an unknown key; allowed: version, vantage, sites, endpoints, workloads, targets, watch, carriers, riskGroups, nodes, links, models, jobs, demands, requirements, quotes, candidates, planning, security, policy; did you mean sites?',
    ],
  },
  {
    name: 'links and offers that lead nowhere',
    yaml: `${v}${ep}sites: [{ name: x, role: dc }, { name: y, role: user }]\nlinks:\n  - { name: l, from: x, to: z, carrier: acme }\nquotes:\n  - { name: q, from: x, to: x, kind: wavelength, capacityGbps: 100 }\n`,
    says: [
      '7:29: links[0].to: found "z"; allowed: a known site or node: x, y',
      '7:41: links[0].carrier: found "acme"; allowed: a carrier of this file, which has none',
      '9:29: quotes[0].to: found "x"; allowed: another place than from, which is "x" too',
    ],
  },
  {
    name: 'a node with the name of a site, and a risk group that is not there',
    yaml: `${v}${ep}sites: [{ name: x, role: dc }]\nriskGroups: [{ name: river }]\nnodes:\n  - { name: x, site: x, riskGroups: [rivet] }\n`,
    says: [
      '8:13: nodes[0].name: found "x"; allowed: no name of a site, because links name either',
      '8:38: nodes[0].riskGroups[0]: found "rivet"; allowed: a known risk group: river; did you mean river?',
    ],
  },
  {
    name: 'a misspelled dialect',
    yaml: `${v}endpoints:\n  - { name: a, url: "https://h", dialect: opneai-chat }\n`,
    says: [
      '3:43: endpoints[0].dialect: found "opneai-chat"; allowed: one of "auto", "openai-chat", "openai-responses", "anthropic", "ollama", "tgi", "gemini"; did you mean openai-chat?',
    ],
  },
  {
    name: 'a model without a value',
    yaml: `${v}endpoints:\n  - name: a\n    url: https://h\n    model:\n`,
    says: ['5:5: endpoints[0].model: found no value; allowed: text that is not empty'],
  },
  {
    name: 'too many requests',
    yaml: `${v}endpoints:\n  - { name: a, url: "https://h", requests: 1e9 }\n`,
    says: ['3:44: endpoints[0].requests: found 1000000000; allowed: whole number from 1 to 100000'],
  },
  {
    name: 'half a request',
    yaml: `${v}endpoints:\n  - { name: a, url: "https://h", requests: 0.5 }\n`,
    says: ['3:44: endpoints[0].requests: found 0.5; allowed: whole number from 1 to 100000'],
  },
  {
    name: 'an unknown site',
    yaml: `${v}endpoints:\n  - { name: a, url: "https://h", site: frnakfurt }\nsites:\n  - { name: frankfurt, role: dc }\n`,
    says: ['3:40: endpoints[0].site: found "frnakfurt"; allowed: a known site: frankfurt; did you mean frankfurt?'],
  },
  {
    name: 'a site where there are none',
    yaml: `${v}endpoints:\n  - { name: a, url: "https://h", site: x }\n`,
    says: ['3:40: endpoints[0].site: found "x"; allowed: a site of this file, which has none'],
  },
  {
    name: 'a vantage at an unknown site',
    yaml: `${v}vantage: { name: here, site: x }\n${ep}sites:\n  - { name: y, role: user }\n`,
    says: ['2:30: vantage.site: found "x"; allowed: a known site: y'],
  },
  {
    name: 'an unknown workload',
    yaml: `${v}endpoints:\n  - { name: a, url: "https://h", workload: voise }\n`,
    says: [
      '3:44: endpoints[0].workload: found "voise"; allowed: a known workload: chat, finance, voice, copilot, agent, rag, batch; did you mean voice?',
    ],
  },
  {
    name: 'a role that does not exist',
    yaml: `${v}${ep}sites:\n  - { name: y, role: office }\n`,
    says: ['6:22: sites[0].role: found "office"; allowed: one of "user", "edge", "dc", "cloud"'],
  },
  {
    name: 'a latitude beyond the pole',
    yaml: `${v}${ep}sites:\n  - { name: y, role: dc, location: { lat: 91, lon: 8 } }\n`,
    says: ['6:43: sites[0].location.lat: found 91; allowed: number from -90 to 90'],
  },
  {
    name: 'a position without longitude',
    yaml: `${v}${ep}sites:\n  - { name: y, role: dc, location: { lat: 9 } }\n`,
    says: ['6:36: sites[0].location.lon: found nothing; allowed: number from -180 to 180'],
  },
  {
    name: 'a decimal comma',
    yaml: `${v}${ep}sites:\n  - { name: y, role: dc, location: { lat: "50,1", lon: 8 } }\n`,
    says: ['6:43: sites[0].location.lat: found "50,1"; allowed: number from -90 to 90'],
  },
  {
    name: 'a workload with the name of another class',
    yaml: `${v}${ep}workloads:\n  - { name: voice, class: chat }\n`,
    says: [
      '6:13: workloads[0].name: found "voice"; allowed: "chat" or no name of a built-in class, so that a name never means two things',
    ],
  },
  {
    name: 'a class that does not exist',
    yaml: `${v}${ep}workloads:\n  - { name: w, class: chess }\n`,
    says: [
      '6:23: workloads[0].class: found "chess"; allowed: one of "chat", "finance", "voice", "copilot", "agent", "rag", "batch"',
    ],
  },
  {
    name: 'no prompt at all',
    yaml: `${v}${ep}workloads:\n  - { name: w, class: chat, promptTokens: 0 }\n`,
    says: ['6:43: workloads[0].promptTokens: found 0; allowed: whole number from 1 to 1000000'],
  },
  {
    name: 'targets of an unknown class',
    yaml: `${v}${ep}targets:\n  voize: {}\n`,
    says: [
      '6:3: targets.voize: found an unknown key; allowed: chat, finance, voice, copilot, agent, rag, batch; did you mean voice?',
    ],
  },
  {
    name: 'a target without max',
    yaml: `${v}${ep}targets:\n  voice: { ttftMs: { percentile: 50 } }\n`,
    says: ['6:20: targets.voice.ttftMs.max: found nothing; allowed: number above 0'],
  },
  {
    name: 'a target that is only a number',
    yaml: `${v}${ep}targets:\n  voice: { ttftMs: 300 }\n`,
    says: ['6:20: targets.voice.ttftMs: found 300; allowed: mapping with the keys max, percentile'],
  },
  {
    name: 'a target below zero and a percentile of 100',
    yaml: `${v}${ep}targets:\n  voice: { ttftMs: { max: -1, percentile: 100 } }\n`,
    says: [
      '6:27: targets.voice.ttftMs.max: found -1; allowed: number above 0',
      '6:43: targets.voice.ttftMs.percentile: found 100; allowed: number above 0 and below 100',
    ],
  },
  {
    name: 'a loss in percent',
    yaml: `${v}${ep}targets:\n  voice: { networkLoss: { max: 5 } }\n`,
    says: ['6:32: targets.voice.networkLoss.max: found 5; allowed: number from 0 to 1'],
  },
  {
    name: 'a target that does not exist',
    yaml: `${v}${ep}targets:\n  voice: { ttfMs: { max: 5 } }\n`,
    says: [
      '6:12: targets.voice.ttfMs: found an unknown key; allowed: networkRttMs, networkPdvMs, networkLoss, ttftMs, tokenGapMs, stallRate; did you mean ttftMs?',
    ],
  },
  {
    name: 'terminal escapes in a value',
    yaml: `${v}endpoints:\n  - { name: "\\e[31mred\\a", url: "https://h" }\n`,
    says: [
      '3:13: endpoints[0].name: found " [31mred "; allowed: 1 to 63 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit',
    ],
  },
  {
    name: 'ranges that are no networks, or not to be asked',
    yaml: `${v}${ep}security:\n  ranges:\n    - { cidr: 10.1.2.3/16 }\n    - { cidr: 10.0.0 }\n    - { cidr: 010.0.0.0/8 }\n    - { cidr: 169.254.0.0/24 }\n    - { cidr: 172.16.0.0/16 }\n    - { cidr: 172.16.5.0/24 }\n    - { cidr: "::ffff:10.0.0.0/120" }\n    - { cidr: office }\n`,
    says: [
      '7:15: security.ranges[0].cidr: found "10.1.2.3/16"; allowed: a network without host bits: 10.1.0.0/16',
      '8:15: security.ranges[1].cidr: found "10.0.0"; allowed: a network like 10.0.0.0/8 or fd00::/8, or one address',
      '9:15: security.ranges[2].cidr: found "010.0.0.0/8"; allowed: a network like 10.0.0.0/8 or fd00::/8, or one address',
      '10:15: security.ranges[3].cidr: found "169.254.0.0/24"; allowed: a range that may be asked; it holds link-local, where clouds serve credentials (RFC 3927)',
      '12:15: security.ranges[5].cidr: found "172.16.5.0/24"; allowed: a range that does not overlap 172.16.0.0/16 above',
      '13:15: security.ranges[6].cidr: found "::ffff:10.0.0.0/120"; allowed: a range that may be asked; it holds another way to write IPv4 addresses; they are written as such',
      '14:15: security.ranges[7].cidr: found "office"; allowed: a network like 10.0.0.0/8 or fd00::/8, or one address',
    ],
  },
  {
    name: 'public ranges',
    yaml: `${v}${ep}security:\n  ranges:\n    - { cidr: 8.8.8.0/24 }\n    - { cidr: 9.0.0.0/8, public: true }\n    - { cidr: 0.0.0.0/0, public: true }\n    - { cidr: "2600::/24", public: true }\n`,
    says: [
      '7:15: security.ranges[0].cidr: found "8.8.8.0/24"; allowed: private, or have public: true, because it can be reached from the Internet',
      '8:15: security.ranges[1].cidr: found "9.0.0.0/8"; allowed: private, or /16 or longer: it can be reached from the Internet',
      '9:15: security.ranges[2].cidr: found "0.0.0.0/0"; allowed: a range that may be asked; it holds this host (RFC 1122)',
      '10:15: security.ranges[3].cidr: found "2600::/24"; allowed: private, or /32 or longer: it can be reached from the Internet',
    ],
  },
  {
    name: 'secrecy and encryption of nothing',
    yaml: `${v}${ep}security:\n  dataClasses:\n    - { name: prompts, secrecyYears: 10, migrationYears: 3, on: [lan] }\n    - { name: prompts, secrecyYears: -1 }\n  quantumComputer: { earliest: 2040, latest: 2030 }\n  hops:\n    - { name: wan, link: ring, endpoint: b, layers: [{ kind: none }, { kind: macsec }] }\n    - { name: wan, layers: [{ kind: rot13 }] }\n`,
    says: [
      '7:66: security.dataClasses[0].on[0]: found "lan"; allowed: a known endpoint or hop: a, wan; did you mean wan?',
      '8:7: security.dataClasses[1].migrationYears: found nothing; allowed: number from 0 to 200',
      '8:15: security.dataClasses[1].name: found "prompts"; allowed: a name that stands only once in dataClasses',
      '8:38: security.dataClasses[1].secrecyYears: found -1; allowed: number from 0 to 200',
      '9:46: security.quantumComputer.latest: found 2030; allowed: no year before earliest, 2040',
      '11:7: security.hops[0]: found a mapping with name, link, endpoint, layers; allowed: a hop with exactly one of the keys link, endpoint and between',
      '11:26: security.hops[0].link: found "ring"; allowed: a link of this file, which has none',
      '11:42: security.hops[0].endpoint: found "b"; allowed: a known endpoint: a',
      '11:53: security.hops[0].layers: found a list; allowed: "none" alone, or layers without it',
      '12:7: security.hops[1]: found a mapping with name, layers; allowed: a hop with exactly one of the keys link, endpoint and between',
      '12:15: security.hops[1].name: found "wan"; allowed: a name that stands only once in hops',
      '12:37: security.hops[1].layers[0].kind: found "rot13"; allowed: one of "otnsec", "macsec", "ipsec", "wireguard", "tls", "ssh", "qkd", "none"',
    ],
  },
  {
    name: 'mistakes in every section, in the order of the text',
    yaml: `version: one\nvantage: { name: X }\nsites: [{ name: s, role: dcc }]\nendpoints: [{ name: a, url: h, site: t, wrkload: chat }]\nworkloads: [{ name: w }]\ntargets: { chat: { ttftMs: { max: 0 } } }\n`,
    says: [
      '1:10: version: found "one"; allowed: the number 1',
      '2:18: vantage.name: found "X"; allowed: 1 to 63 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit',
      '3:26: sites[0].role: found "dcc"; allowed: one of "user", "edge", "dc", "cloud"; did you mean dc?',
      '4:29: endpoints[0].url: found "h"; allowed: http or https URL',
      '4:38: endpoints[0].site: found "t"; allowed: a known site: s',
      '4:41: endpoints[0].wrkload: found an unknown key; allowed: name, url, dialect, model, auth, site, addresses, backupOf, reflector, emulated, workload, requests; did you mean workload?',
      '5:13: workloads[0].class: found nothing; allowed: one of "chat", "finance", "voice", "copilot", "agent", "rag", "batch"',
      '6:35: targets.chat.ttftMs.max: found 0; allowed: number above 0',
    ],
  },
];

/** A command line that is wrong; `says` is all of stderr. */
export interface BadLine {
  line: string;
  says: string[];
}

export const badLines: readonly BadLine[] = [
  {
    line: 'prboe',
    says: ['inferpath: "prboe": unknown command; did you mean probe?', 'hint: inferpath help lists the commands'],
  },
  { line: 'assses', says: ['inferpath: "assses": unknown command', 'hint: inferpath help lists the commands'] },
  {
    line: '--verison',
    says: ['inferpath: "--verison": unknown flag; did you mean --version?', 'hint: inferpath help lists the commands'],
  },
  { line: '-x', says: ['inferpath: "-x": unknown flag', 'hint: inferpath help lists the commands'] },
  {
    line: 'help probee',
    says: ['inferpath help: "probee": unknown command; did you mean probe?', 'hint: inferpath help lists the commands'],
  },
  {
    line: 'version now',
    says: [
      'inferpath version: "now": unexpected argument; allowed: none',
      'hint: inferpath version --help lists the flags',
    ],
  },
  {
    line: 'schema network assess',
    says: [
      'inferpath schema: "assess": unexpected argument; allowed: at most 1',
      'hint: inferpath schema --help lists the flags',
    ],
  },
  {
    line: 'schema --lst',
    says: [
      'inferpath schema: "--lst": unknown flag; did you mean --list?',
      'hint: inferpath schema --help lists the flags',
    ],
  },
  {
    line: 'init --clas chat',
    says: [
      'inferpath init: "--clas": unknown flag; did you mean --class?',
      'hint: inferpath init --help lists the flags',
    ],
  },
  {
    line: 'init --class chatt',
    says: [
      'inferpath init: --class: found "chatt"; allowed: one of "chat", "finance", "voice", "copilot", "agent", "rag", "batch"; did you mean chat?',
      'hint: inferpath init --help lists the flags',
    ],
  },
  {
    line: 'init --class',
    says: [
      'inferpath init: --class: found no value; allowed: one of "chat", "finance", "voice", "copilot", "agent", "rag", "batch"',
      'hint: inferpath init --help lists the flags',
    ],
  },
  {
    line: 'init --class --yes',
    says: [
      'inferpath init: --class: found no value; allowed: one of "chat", "finance", "voice", "copilot", "agent", "rag", "batch"',
      'hint: inferpath init --help lists the flags',
    ],
  },
  {
    line: 'init --site here',
    says: [
      'inferpath init: --site: found "here"; allowed: name:lat,lon:role with the role user, edge, dc or cloud',
      'hint: inferpath init --help lists the flags',
    ],
  },
  {
    line: 'init --site berlin:200,8:dc',
    says: ['inferpath init: sites[0].location.lat: found 200; allowed: number from -90 to 90'],
  },
  {
    line: 'init --url not-a-url',
    says: ['inferpath init: endpoints[0].url: found "not-a-url"; allowed: http or https URL'],
  },
  {
    line: 'init --url http://u:p@h',
    says: [
      'inferpath init: endpoints[0].url: found a text that is not shown; allowed: a URL without user name and password; secrets come by auth.env or auth.file',
    ],
  },
  {
    line: 'init --url http://h --name Bad_Näme',
    says: [
      'inferpath init: endpoints[0].name: found "Bad_Näme"; allowed: 1 to 63 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit',
    ],
  },
  {
    line: 'init --auth-env sk-1234',
    says: [
      'inferpath init: endpoints[0].auth.env: found a text that is not shown; allowed: the name of an environment variable, like INFERENCE_API_KEY',
    ],
  },
  {
    line: 'init --output a --output b',
    says: ['inferpath init: --output: given 2 times; allowed: once', 'hint: inferpath init --help lists the flags'],
  },
  {
    line: 'init --yes=please',
    says: [
      'inferpath init: --yes: found the value "please"; allowed: no value',
      'hint: inferpath init --help lists the flags',
    ],
  },
  {
    line: 'init extra',
    says: [
      'inferpath init: "extra": unexpected argument; allowed: none',
      'hint: inferpath init --help lists the flags',
    ],
  },
  {
    line: 'probe',
    says: [
      'inferpath probe: --model: is required; allowed: text that is not empty',
      'inferpath probe: <url>: is required; the address to probe',
      'hint: inferpath probe --help lists the flags',
    ],
  },
  {
    line: 'probe --model m',
    says: ['inferpath probe: <url>: is required; the address to probe', 'hint: inferpath probe --help lists the flags'],
  },
  {
    line: 'probe a b c --model m',
    says: [
      'inferpath probe: "c": unexpected argument; allowed: at most 2',
      'hint: inferpath probe --help lists the flags',
    ],
  },
  {
    line: 'probe a',
    says: [
      'inferpath probe: --model: is required; allowed: text that is not empty',
      'hint: inferpath probe --help lists the flags',
    ],
  },
  {
    line: 'probe a --model=',
    says: [
      'inferpath probe: --model: found no value; allowed: text that is not empty',
      'hint: inferpath probe --help lists the flags',
    ],
  },
  {
    line: 'probe a --model m --requests 0',
    says: [
      'inferpath probe: --requests: found "0"; allowed: whole number from 1 to 1000',
      'hint: inferpath probe --help lists the flags',
    ],
  },
  {
    line: 'probe a --model m --requests ten',
    says: [
      'inferpath probe: --requests: found "ten"; allowed: whole number from 1 to 1000',
      'hint: inferpath probe --help lists the flags',
    ],
  },
  {
    line: 'probe a --model m --requests 1.5',
    says: [
      'inferpath probe: --requests: found "1.5"; allowed: whole number from 1 to 1000',
      'hint: inferpath probe --help lists the flags',
    ],
  },
  {
    line: 'probe a --model m -n',
    says: [
      'inferpath probe: -n: found no value; allowed: whole number from 1 to 1000',
      'hint: inferpath probe --help lists the flags',
    ],
  },
  {
    line: 'probe a --model m -n 5000',
    says: [
      'inferpath probe: --requests: found "5000"; allowed: whole number from 1 to 1000',
      'hint: inferpath probe --help lists the flags',
    ],
  },
  {
    line: 'probe a --model m --rate -1',
    says: [
      'inferpath probe: --rate: found "-1"; allowed: number above 0',
      'hint: inferpath probe --help lists the flags',
    ],
  },
  {
    line: 'probe a --model m --rate 0',
    says: [
      'inferpath probe: --rate: found "0"; allowed: number above 0',
      'hint: inferpath probe --help lists the flags',
    ],
  },
  {
    line: 'probe a --model m --family 5',
    says: [
      'inferpath probe: --family: found "5"; allowed: one of "4", "6"',
      'hint: inferpath probe --help lists the flags',
    ],
  },
  {
    line: 'probe a --model m --header plain --header A:b',
    says: [
      'inferpath probe: --header: found "plain"; allowed: NAME:VALUE',
      'hint: inferpath probe --help lists the flags',
    ],
  },
  {
    line: 'probe a --model m --no-reuse=yes',
    says: [
      'inferpath probe: --no-reuse: found the value "yes"; allowed: no value',
      'hint: inferpath probe --help lists the flags',
    ],
  },
  {
    line: 'probe a --model m --no-requests',
    says: [
      'inferpath probe: "--no-requests": unknown flag; did you mean --requests?',
      'hint: inferpath probe --help lists the flags',
    ],
  },
  {
    line: 'probe a --model m --delay 6',
    says: ['inferpath probe: --delay: found "6"; allowed: 5', 'hint: inferpath probe --help lists the flags'],
  },
  {
    line: 'probe a --model m --reqests 3 --requests x --family ipv4 --header x',
    says: [
      'inferpath probe: "--reqests": unknown flag; did you mean --requests?',
      'inferpath probe: --requests: found "x"; allowed: whole number from 1 to 1000',
      'inferpath probe: --family: found "ipv4"; allowed: one of "4", "6"',
      'inferpath probe: --header: found "x"; allowed: NAME:VALUE',
      'hint: inferpath probe --help lists the flags',
    ],
  },
  {
    line: 'probe a --model -- b c',
    says: [
      'inferpath probe: --model: found no value; allowed: text that is not empty; a value that begins with "-" is written --model=…',
      'inferpath probe: "c": unexpected argument; allowed: at most 2',
      'hint: inferpath probe --help lists the flags',
    ],
  },
  {
    line: 'probe a --model --requests 3',
    says: [
      'inferpath probe: --model: found no value; allowed: text that is not empty; a value that begins with "-" is written --model=…',
      'hint: inferpath probe --help lists the flags',
    ],
  },
  {
    line: 'probe a --model m --requests 1 --requests 2',
    says: ['inferpath probe: --requests: given 2 times; allowed: once', 'hint: inferpath probe --help lists the flags'],
  },
];
