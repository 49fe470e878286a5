import type { ErrorCode } from 'yaml';

/** What is wrong with YAML that cannot be parsed, in words for the person who wrote it. Never quotes the file. */
const MESSAGES: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias (*name) takes no tag and no anchor',
  BAD_ALIAS: 'the name of an anchor or alias is missing or ends in a colon',
  BAD_COLLECTION_TYPE: 'the tag does not fit this kind of value',
  BAD_DIRECTIVE: 'a line that starts with % is not a directive that is known',
  BAD_DQ_ESCAPE:
    'a backslash in double quotes starts an escape that does not exist; use single quotes for plain text',
  BAD_INDENT: 'the indentation does not match the lines around it, or a bracket before it is not closed',
  BAD_PROP_ORDER: 'an anchor or tag stands in the wrong place',
  BAD_SCALAR_START: 'a value cannot start with this character unless it is in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'a second "key: value" or a list stands on one line; put it on a line of its own or in quotes',
  BLOCK_IN_FLOW: 'an indented map or list stands inside brackets',
  DUPLICATE_KEY: 'the key is given twice',
  IMPOSSIBLE: 'this cannot be read as YAML',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters',
  MISSING_CHAR: 'a character is missing: a colon, a comma, a dash, a closing quote or a space',
  MULTILINE_IMPLICIT_KEY: 'a key goes over several lines; a colon may be missing',
  MULTIPLE_ANCHORS: 'a value has two anchors',
  MULTIPLE_DOCS: 'a second document starts here; a configuration is one document',
  MULTIPLE_TAGS: 'a value has two tags',
  NON_STRING_KEY: 'a key must be text',
  RESOURCE_EXHAUSTION: 'it is nested too deeply',
  TAB_AS_INDENT: 'a tab is used for indentation; YAML allows spaces only',
  TAG_RESOLVE_FAILED: 'the tag is not known; values need no tags here',
  UNEXPECTED_TOKEN:
    'this does not belong here; a bracket, quote or colon before it may be missing or one too many',
};

export function yamlMessage(code: ErrorCode): string {
  return MESSAGES[code];
}
