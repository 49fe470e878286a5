const SECRET_LENGTH_MIN = 16;
/** What is left of a secret without the words of documentation. */
const OWN_LENGTH_MIN = 8;
const DIFFERENT_MIN = 6;

/** What documentation, examples and lists of passwords are made of; a longer word comes before one that it contains. */
const WORDS = [
  '0123456789abcdef 1234567890 0123456789 abcdefgh 12345678 qwertyuiop qwerty asdfgh letmein deadbeef cafebabe',
  'production development changeme password passwort supersecret passphrase example default insecure replace',
  'private secure secret please string choose change random bearer access hidden server admin token opsen helios',
  'connx usher local passwd master value strong should never login guest dummy sample testing change',
  'auth root test user with this must long some demo here your none null key api jwt the prod pass word dev foo bar baz 256 bit',
  'for and has use put not is to me in my an or of at it',
]
  .join(' ')
  .split(' ');
const KNOWN = new RegExp(WORDS.join('|'), 'g');

/** Why a secret is easily guessed, without a word of it; undefined when it is not. */
export function weaknessOf(secret: string): string | undefined {
  if (secret.length < SECRET_LENGTH_MIN)
    return `shorter than ${SECRET_LENGTH_MIN} characters: too easy to guess`;
  const plain = secret.toLowerCase().replace(/[^a-z0-9]/g, '');
  const own = plain.replace(KNOWN, '');
  const symbols = secret.replace(/[A-Za-z0-9\s_.-]/g, '').length;
  if (new Set(secret).size < DIFFERENT_MIN || own.length + symbols < OWN_LENGTH_MIN)
    return 'a secret that everybody tries: too easy to guess';
  return undefined;
}
