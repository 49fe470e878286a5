/** The host of requests to the gateway at this place of a task. */
export function hostOf(place: number): string {
  return `gateway-${place + 1}.test`;
}
