/** A region of a cloud, at the city that stands for it. */
export interface CloudRegion {
  provider: CloudProvider;
  code: string;
  city: string;
  country: string;
  lat: number;
  lon: number;
}

export const cloudProviders = ['aws', 'azure', 'google'] as const;
export type CloudProvider = (typeof cloudProviders)[number];

/** The state of the list. */
export const regionsAsOf = '2026-06-03';

/**
 * Regions of the public clouds that everybody can book: none for governments, for China, in preview, or that Azure keeps for disaster recovery.
 * Codes and cities: data/regions.json of github.com/jasonwilbur/mcp-server-cloud-regions (MIT, of 2026-06-03), which follows the
 * pages of the providers (aws.amazon.com/about-aws/global-infrastructure, learn.microsoft.com/azure/reliability/regions-list,
 * cloud.google.com/about/locations). Coordinates are those of the city (GeoNames, CC BY 4.0), not of a building. Of Azure's
 * regions in the United States only the state is published: the position is the one that Azure itself gives for the region
 * (az account list-locations).
 */
const rows = `aws us-east-1|Ashburn|US|39.04|-77.49
aws us-east-2|Columbus|US|39.96|-83.00
aws us-west-1|San Francisco|US|37.77|-122.42
aws us-west-2|Portland|US|45.52|-122.68
aws ca-central-1|Montréal|CA|45.51|-73.59
aws ca-west-1|Calgary|CA|51.05|-114.09
aws mx-central-1|Querétaro|MX|20.59|-100.39
aws sa-east-1|São Paulo|BR|-23.55|-46.64
aws eu-west-1|Dublin|IE|53.33|-6.25
aws eu-west-2|London|GB|51.51|-0.13
aws eu-west-3|Paris|FR|48.85|2.35
aws eu-central-1|Frankfurt|DE|50.11|8.68
aws eu-central-2|Zürich|CH|47.37|8.55
aws eu-north-1|Stockholm|SE|59.33|18.07
aws eu-south-1|Milan|IT|45.46|9.19
aws eu-south-2|Zaragoza|ES|41.66|-0.88
aws ap-northeast-1|Tokyo|JP|35.69|139.69
aws ap-northeast-2|Seoul|KR|37.57|126.98
aws ap-northeast-3|Osaka|JP|34.69|135.50
aws ap-east-1|Hong Kong|HK|22.28|114.17
aws ap-east-2|Taipei|TW|25.05|121.53
aws ap-southeast-1|Singapore|SG|1.29|103.85
aws ap-southeast-2|Sydney|AU|-33.87|151.21
aws ap-southeast-3|Jakarta|ID|-6.21|106.85
aws ap-southeast-4|Melbourne|AU|-37.81|144.96
aws ap-southeast-5|Kuala Lumpur|MY|3.14|101.69
aws ap-southeast-6|Auckland|NZ|-36.85|174.76
aws ap-southeast-7|Bangkok|TH|13.75|100.50
aws ap-south-1|Mumbai|IN|19.07|72.88
aws ap-south-2|Hyderabad|IN|17.38|78.46
aws me-south-1|Manama|BH|26.23|50.59
aws me-central-1|Dubai|AE|25.08|55.31
aws il-central-1|Tel Aviv|IL|32.08|34.78
aws af-south-1|Cape Town|ZA|-33.93|18.42
azure eastus|Virginia (state)|US|37.37|-79.82
azure eastus2|Virginia (state)|US|36.67|-78.39
azure westus|California (state)|US|37.78|-122.42
azure westus2|Washington (state)|US|47.23|-119.85
azure westus3|Arizona (state)|US|33.45|-112.07
azure centralus|Iowa (state)|US|41.59|-93.62
azure northcentralus|Illinois (state)|US|41.88|-87.63
azure southcentralus|Texas (state)|US|29.42|-98.50
azure westcentralus|Wyoming (state)|US|40.89|-110.23
azure canadacentral|Toronto|CA|43.70|-79.42
azure canadaeast|Québec|CA|46.81|-71.21
azure mexicocentral|Querétaro|MX|20.59|-100.39
azure chilecentral|Santiago|CL|-33.46|-70.65
azure brazilsouth|São Paulo|BR|-23.55|-46.64
azure northeurope|Dublin|IE|53.33|-6.25
azure westeurope|Amsterdam|NL|52.37|4.89
azure uksouth|London|GB|51.51|-0.13
azure ukwest|Cardiff|GB|51.48|-3.18
azure francecentral|Paris|FR|48.85|2.35
azure germanywestcentral|Frankfurt|DE|50.11|8.68
azure switzerlandnorth|Zürich|CH|47.37|8.55
azure norwayeast|Oslo|NO|59.91|10.75
azure swedencentral|Gävle|SE|60.67|17.14
azure polandcentral|Warsaw|PL|52.23|21.01
azure italynorth|Milan|IT|45.46|9.19
azure spaincentral|Madrid|ES|40.42|-3.70
azure austriaeast|Vienna|AT|48.21|16.37
azure belgiumcentral|Brussels|BE|50.85|4.35
azure denmarkeast|Copenhagen|DK|55.68|12.57
azure eastasia|Hong Kong|HK|22.28|114.17
azure southeastasia|Singapore|SG|1.29|103.85
azure japaneast|Tokyo|JP|35.69|139.69
azure japanwest|Osaka|JP|34.69|135.50
azure australiaeast|Sydney|AU|-33.87|151.21
azure australiasoutheast|Melbourne|AU|-37.81|144.96
azure centralindia|Pune|IN|18.52|73.86
azure southindia|Chennai|IN|13.09|80.28
azure westindia|Mumbai|IN|19.07|72.88
azure koreacentral|Seoul|KR|37.57|126.98
azure koreasouth|Busan|KR|35.10|129.03
azure taiwannorth|Taipei|TW|25.05|121.53
azure newzealandnorth|Auckland|NZ|-36.85|174.76
azure indonesiacentral|Jakarta|ID|-6.21|106.85
azure malaysiawest|Kuala Lumpur|MY|3.14|101.69
azure uaenorth|Dubai|AE|25.08|55.31
azure qatarcentral|Doha|QA|25.29|51.53
azure israelcentral|Tel Aviv|IL|32.08|34.78
azure southafricanorth|Johannesburg|ZA|-26.20|28.04
google us-central1|Council Bluffs|US|41.26|-95.86
google us-east1|Moncks Corner|US|33.20|-80.01
google us-east4|Ashburn|US|39.04|-77.49
google us-east5|Columbus|US|39.96|-83.00
google us-west1|The Dalles|US|45.59|-121.18
google us-west2|Los Angeles|US|34.05|-118.24
google us-west3|Salt Lake City|US|40.76|-111.89
google us-west4|Las Vegas|US|36.17|-115.14
google us-south1|Dallas|US|32.78|-96.81
google northamerica-northeast1|Montréal|CA|45.51|-73.59
google northamerica-northeast2|Toronto|CA|43.70|-79.42
google northamerica-south1|Querétaro|MX|20.59|-100.39
google southamerica-east1|São Paulo|BR|-23.55|-46.64
google southamerica-west1|Santiago|CL|-33.46|-70.65
google europe-west1|Saint-Ghislain|BE|50.45|3.82
google europe-west2|London|GB|51.51|-0.13
google europe-west3|Frankfurt|DE|50.11|8.68
google europe-west4|Eemshaven|NL|53.44|6.83
google europe-west6|Zürich|CH|47.37|8.55
google europe-west8|Milan|IT|45.46|9.19
google europe-west9|Paris|FR|48.85|2.35
google europe-west10|Berlin|DE|52.52|13.41
google europe-west12|Turin|IT|45.07|7.69
google europe-north1|Hamina|FI|60.57|27.20
google europe-north2|Stockholm|SE|59.33|18.07
google europe-central2|Warsaw|PL|52.23|21.01
google europe-southwest1|Madrid|ES|40.42|-3.70
google asia-east1|Changhua|TW|24.05|120.52
google asia-east2|Hong Kong|HK|22.28|114.17
google asia-northeast1|Tokyo|JP|35.69|139.69
google asia-northeast2|Osaka|JP|34.69|135.50
google asia-northeast3|Seoul|KR|37.57|126.98
google asia-south1|Mumbai|IN|19.07|72.88
google asia-south2|Delhi|IN|28.65|77.23
google asia-southeast1|Singapore|SG|1.29|103.85
google asia-southeast2|Jakarta|ID|-6.21|106.85
google asia-southeast3|Bangkok|TH|13.75|100.50
google australia-southeast1|Sydney|AU|-33.87|151.21
google australia-southeast2|Melbourne|AU|-37.81|144.96
google me-central1|Doha|QA|25.29|51.53
google me-central2|Dammam|SA|26.43|50.10
google me-west1|Tel Aviv|IL|32.08|34.78
google africa-south1|Johannesburg|ZA|-26.20|28.04`;

/** Regions of these providers, of which the code begins so: `aws`, or `aws:eu-`. */
export function regionsOf(provider: CloudProvider, begin = ''): CloudRegion[] {
  return rows.split('\n').flatMap((row) => {
    const [name = '', city = '', country = '', lat, lon] = row.split('|');
    const [of, code = ''] = name.split(' ');
    return of === provider && code.startsWith(begin)
      ? [{ provider, code, city, country, lat: Number(lat), lon: Number(lon) }]
      : [];
  });
}
