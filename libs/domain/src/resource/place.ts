/** Mean radius of the Earth (IUGG), in kilometres. */
export const EARTH_RADIUS_KM = 6371;

/** A point on the Earth, in degrees. The equator and the prime meridian are places like any other. */
export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

/** A place as a point of the unit sphere: the distance of two such points takes a root and one arc sine. */
export interface SpherePoint {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** Undefined for what is no place: a coordinate that is out of range or no number. */
export function onSphere({ latitude, longitude }: Place): SpherePoint | undefined {
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) return undefined;
  const north = (latitude * Math.PI) / 180;
  const east = (longitude * Math.PI) / 180;
  const ring = Math.cos(north);
  return { x: ring * Math.cos(east), y: ring * Math.sin(east), z: Math.sin(north) };
}

/** The place of a point of the unit sphere. */
export function placeOn({ x, y, z }: SpherePoint): Place {
  return { latitude: degrees(Math.asin(Math.max(-1, Math.min(1, z)))), longitude: degrees(Math.atan2(y, x)) };
}

/** To a millionth of a degree. */
function degrees(radians: number): number {
  return Math.round((radians * 180e6) / Math.PI) / 1e6;
}

/** Mean of those points that there are, which is inside the sphere; undefined when there is none. */
export function meanPoint(points: readonly (SpherePoint | undefined)[]): SpherePoint | undefined {
  let [x, y, z, count] = [0, 0, 0, 0];
  for (const point of points) {
    if (point === undefined) continue;
    x += point.x;
    y += point.y;
    z += point.z;
    count += 1;
  }
  return count === 0 ? undefined : { x: x / count, y: y / count, z: z / count };
}

/** Length along the great circle for a straight line between two points of the unit sphere. */
export function arcKm(chord: number): number {
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, chord / 2));
}

/** Distance along the great circle. */
export function distanceKm(a: SpherePoint, b: SpherePoint): number {
  const x = a.x - b.x;
  const y = a.y - b.y;
  const z = a.z - b.z;
  return arcKm(Math.sqrt(x * x + y * y + z * z));
}
