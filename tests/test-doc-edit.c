/* SPDX-License-Identifier: Apache-2.0 */

/*
 * doc/edit: the edit of every style by path, what is refused, and the laws: an
 * edited document says the value and all others as before, by a reader that the
 * edit does not know; the proof takes it and no other value; a second edit
 * finds nothing to do.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "doc/edit.h"
#include "doc/json.h"
#include "doc/yaml-read.h"
#include "testing.h"

struct row {
	const char *name;
	const char *in, *path;
	/* a word; 'x: the string x; [a,b: a list; NULL: the member goes */
	const char *value;
	const char *want; /* NULL: refused */
	const char *why;  /* part of the message */
};

#define YES  "true"
#define AUTH "authentication.anonymous.enabled"
#define GATE "featureGates.G"

static const struct row rows[] = {
	/* JSON, a value in place */
	{"a boolean", "{\"a\":{\"b\":false},\"c\":1}", "a.b", YES,
         "{\"a\":{\"b\":true},\"c\":1}"},
	{"a number", "{ \"a\" : { \"b\" : 10255 } }", "a.b", "0",
         "{ \"a\" : { \"b\" : 0 } }"},
	{"a null", "{\"a\":{\"b\":null}}", "a.b", "5", "{\"a\":{\"b\":5}}"},
	{"a string", "{\"a\":\"x\"}", "a", "'4h0m0s", "{\"a\":\"4h0m0s\"}"},
	{"a string that is escaped", "{\"a\":\"x\"}", "a", "'q\"\\\t",
         "{\"a\":\"q\\\"\\\\\\u0009\"}"},
	{"a number becomes a string", "{\"a\":5}", "a", "'5", "{\"a\":\"5\"}"},
	{"each of two", "{\"a\":{\"b\":false,\"b\":false}}", "a.b", YES,
         "{\"a\":{\"b\":true,\"b\":true}}"},
	{"one of two", "{\"a\":{\"b\":true,\"b\":false}}", "a.b", YES,
         "{\"a\":{\"b\":true,\"b\":true}}"},
	{"it says so already", "{\"a\":{\"b\":true}}", "a.b", YES,
         "{\"a\":{\"b\":true}}"},
	{"a string says so already", "{\"a\":\"\\u0061\"}", "a", "'a",
         "{\"a\":\"\\u0061\"}"},
	{"a list", "{\"a\":[\"x\"]}", "a", "[y,z", "{\"a\":[\"y\",\"z\"]}"},
	{"a list of one line", "{\"a\": [ \"x\", \"y\" ]}", "a", "[z,x,y",
         "{\"a\": [ \"z\", \"x\", \"y\" ]}"},
	{"a list of lines", "{\n  \"a\": [\n    \"x\",\n    \"y\"\n  ]\n}\n",
         "a", "[z", "{\n  \"a\": [\n    \"z\"\n  ]\n}\n"},
	{"a list becomes empty", "{\"a\":[ \"x\" ]}", "a", "[", "{\"a\":[]}"},
	{"an empty list", "{\"a\":[ ]}", "a", "[x", "{\"a\":[\"x\"]}"},
	{"a list says so already", "{\"a\":[ \"x\"]}", "a", "[x",
         "{\"a\":[ \"x\"]}"},

	{"a string with what YAML takes for more", "{\"a\":\"x\"}", "a",
         "'\x7f\xc2\x85\xe2\x80\xa8\xef\xbb\xbf\xc3\xa4\xf0\x9f\x98\x80",
         "{\"a\":\"\\u007f\\u0085\\u2028\\ufeff\xc3\xa4\xf0\x9f\x98\x80\"}"},

	/* JSON, inserted */
	{"no parent is missing", "{\"a\":{\"c\":1}}", "a.b", YES,
         "{\"a\":{\"c\":1,\"b\":true}}"},
	{"one parent is missing", "{\"x\":1}", "a.b", YES,
         "{\"x\":1,\"a\":{\"b\":true}}"},
	{"two parents are missing", "{\"x\": 1}", AUTH, "false",
         "{\"x\": 1,\"authentication\": {\"anonymous\": {\"enabled\": "
         "false}}}"},
	{"two parents on lines", "{\n  \"x\": 1\n}\n", AUTH, "false",
         "{\n  \"x\": 1,\n  \"authentication\": {\n    \"anonymous\": {\n"
         "      \"enabled\": false\n    }\n  }\n}\n"},
	{"one parent on lines, tabs",
         "{\n\t\"authentication\": {\n\t\t\"x509\": {\n\t\t\t\"a\": \"b\"\n"
         "\t\t}\n\t}\n}",
         AUTH, "false",
         "{\n\t\"authentication\": {\n\t\t\"x509\": {\n\t\t\t\"a\": \"b\"\n"
         "\t\t},\n\t\t\"anonymous\": {\n\t\t\t\"enabled\": false\n\t\t}\n"
         "\t}\n}"},
	{"CRLF, four blanks", "{\r\n    \"x\" : 1\r\n}\r\n", "a.b", "0",
         "{\r\n    \"x\" : 1,\r\n    \"a\" : {\r\n        \"b\" : 0\r\n"
         "    }\r\n}\r\n"},
	{"blank lines between members", "{\n  \"w\": 1,\n\n  \"x\": 1\n}\n",
         "a.b", "0",
         "{\n  \"w\": 1,\n\n  \"x\": 1,\n\n  \"a\": {\n    \"b\": 0\n  }\n}\n"},
	{"an empty parent", "{\"featureGates\":{}}", GATE, YES,
         "{\"featureGates\":{\"G\":true}}"},
	{"an empty parent on lines",
         "{\n  \"x\": 1,\n  \"featureGates\": {}\n}", GATE, YES,
         "{\n  \"x\": 1,\n  \"featureGates\": {\n    \"G\": true\n  }\n}"},
	{"an empty parent with blanks", "{\"featureGates\": { }}", GATE, YES,
         "{\"featureGates\": {\"G\": true}}"},
	{"a null parent", "{\"authentication\":null,\"x\":1}", AUTH, "false",
         "{\"authentication\":{\"anonymous\":{\"enabled\":false}},\"x\":1}"},
	{"an empty document", "{}", "a.b", YES, "{\"a\": {\"b\": true}}"},
	{"a list", "{\"x\":1}", "a", "[x,y", "{\"x\":1,\"a\":[\"x\",\"y\"]}"},
	{"a string behind a list", "{\"x\": [1]}", "a", "'y",
         "{\"x\": [1],\"a\": \"y\"}"},

	{"three parents, one line", "{\"x\":1}", "a.b.c.d", "7",
         "{\"x\":1,\"a\":{\"b\":{\"c\":{\"d\":7}}}}"},
	{"three parents, tabs, no line end", "{\n\t\"x\":\t1\n}", "a.b.c.d",
         "7",
         "{\n\t\"x\":\t1,\n\t\"a\":\t{\n\t\t\"b\":\t{\n\t\t\t\"c\":\t{\n"
         "\t\t\t\t\"d\":\t7\n\t\t\t}\n\t\t}\n\t}\n}"},
	{"one of three parents, four blanks",
         "{\n    \"a\": {\n        \"b\": {\n            \"x\": 1\n"
         "        }\n    }\n}\n",
         "a.b.c.d", "[p,q",
         "{\n    \"a\": {\n        \"b\": {\n            \"x\": 1,\n"
         "            \"c\": {\n                \"d\": [\"p\", \"q\"]\n"
         "            }\n        }\n    }\n}\n"},
	{"an empty parent of an empty parent", "{\"a\":{\"b\":{}},\"x\":{}}",
         "a.b.c", "'4h0m0s", "{\"a\":{\"b\":{\"c\":\"4h0m0s\"}},\"x\":{}}"},
	{"a null below a parent", "{\"a\":{\"b\":null}}", "a.b.c.d", YES,
         "{\"a\":{\"b\":{\"c\":{\"d\":true}}}}"},
	{"the same name at another place",
         "{\"b\":{\"a\":1},\"c\":[{\"a\":2}]}", "a", "3",
         "{\"b\":{\"a\":1},\"c\":[{\"a\":2}],\"a\":3}"},

	/* JSON, deleted */
	{"the first", "{\"a\":1, \"b\":2}", "a", NULL, "{\"b\":2}"},
	{"the middle one", "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}\n", "b",
         NULL, "{\n  \"a\": 1,\n  \"c\": 3\n}\n"},
	{"the last", "{\n  \"a\": 1,\n  \"b\": 2\n}\n", "b", NULL,
         "{\n  \"a\": 1\n}\n"},
	{"the only one", "{\"x\":{ \"a\": 1 }}", "x.a", NULL, "{\"x\":{}}"},
	{"nothing to take away", "{\"x\":{\"a\":1}}", "x.b", NULL,
         "{\"x\":{\"a\":1}}"},
	{"no parent to take away from", "{\"x\":null}", "x.b", NULL,
         "{\"x\":null}"},
	{"an object", "{\"a\":{\"b\":[1,{}]},\"c\":2}", "a", NULL, "{\"c\":2}"},

	/* JSON, refused */
	{"a parent is there twice", "{\"a\":{\"b\":1},\"a\":{\"b\":1}}", "a.b",
         "2", NULL, "there once"},
	{"a parent and a null", "{\"a\":{\"b\":1},\"a\":null}", "a.b", "2",
         NULL, "there once"},
	{"a parent is a scalar", "{\"a\":5}", "a.b", YES, NULL,
         "must be a mapping"},
	{"a parent in a list", "{\"a\":[{\"b\":1}]}", "a.b", "2", NULL,
         "must be a mapping"},
	{"the document is a list", "[{\"a\":1}]", "a", "2", NULL, "mapping"},
	{"two documents", "{\"a\":1}{\"a\":1}", "a", "2", NULL, "expected"},
	{"a comma behind the last", "{\"a\":1,}", "a", "2", NULL, "expected"},
	{"a parent is there twice, {} last", "{\"a\":{\"b\":1},\"a\":{}}",
         "a.b", "2", NULL, "there once"},
	{"a parent is a list", "{\"a\":[]}", "a.b", YES, NULL,
         "must be a mapping"},
	{"an object in the way", "{\"a\":{}}", "a", YES, NULL, "holds others"},
	{"a list in the way", "{\"a\":[1]}", "a", "'x", NULL, "holds others"},
	{"a list of objects", "{\"a\":[{}]}", "a", "[x", NULL, "plain words"},
	{"two to delete", "{\"a\":1,\"a\":2}", "a", NULL, NULL, "there once"},
	{"broken", "{\"a\":1", "a", YES, NULL, "expected"},

	/* YAML, a value in place */
	{"y: a boolean", "a:\n  b: false # c\n", "a.b", YES,
         "a:\n  b: true # c\n"},
	{"y: says so already", "a:\n  b: yes\n", "a.b", YES, "a:\n  b: yes\n"},
	{"y: nothing there", "a:\n  b:\n  c: 1\n", "a.b", "0",
         "a:\n  b: 0\n  c: 1\n"},
	{"y: a duration stays plain", "a: 4h\n", "a", "'0s", "a: 0s\n"},
	{"y: a duration in quotes", "a: \"4h\"\n", "a", "'0s", "a: \"0s\"\n"},
	{"y: a duration in single quotes", "a: '4h'\n", "a", "'0s",
         "a: '0s'\n"},
	{"y: a word that is a boolean", "a: x\n", "a", "'on", "a: \"on\"\n"},
	{"y: a word that is a null", "a: x\n", "a", "'null", "a: \"null\"\n"},
	{"y: a word that is a number", "a: x\n", "a", "'1.2", "a: \"1.2\"\n"},
	{"y: an exponent", "a: x\n", "a", "'1e3", "a: \"1e3\"\n"},
	{"y: sixty of them", "a: x\n", "a", "'1:30", "a: \"1:30\"\n"},
	{"y: a path", "a: x\n", "a", "'/etc/ca.crt", "a: /etc/ca.crt\n"},
	{"y: a comment in it", "a: x\n", "a", "'b #c", "a: \"b #c\"\n"},
	{"y: an apostrophe", "a: 'x'\n", "a", "'it's", "a: \"it's\"\n"},
	{"y: nothing", "a: x\n", "a", "'", "a: \"\"\n"},
	{"y: a mark, a line end", "a: x\n", "a", "'\xef\xbb\xbf\xe2\x80\xa9",
         "a: \"\\ufeff\\u2029\"\n"},
	{"y: in single quotes it would be no more than a blank", "a: 'x'\n",
         "a", "'b\xc2\x85", "a: \"b\\u0085\"\n"},
	{"y: a name with a mark", "a: x\n", "b\xef\xbb\xbf", "1",
         "a: x\n\"b\\ufeff\": 1\n"},
	{"y: a null with a tag", "a: !!null \nb: 1\n", "a.c", "0",
         "a: {c: 0} \nb: 1\n"},
	{"y: a null in quotes, with a tag", "a: !!null 'null'\n", "a.c", "0",
         "a: {c: 0}\n"},
	{"y: a tag goes", "a: !!str 5\n", "a", "5", "a: 5\n"},
	{"y: a string with a tag says so", "a: !!str 5\n", "a", "'5",
         "a: !!str 5\n"},
	{"y: in flow", "a: {b: false, c: 1}\n", "a.b", YES,
         "a: {b: true, c: 1}\n"},
	{"y: a block list", "a:\n- x\n- y\nb: 1\n", "a", "[z",
         "a:\n- z\nb: 1\n"},
	{"y: a block list further in", "a:\n  l:\n    - x\n  b: 1\n", "a.l",
         "[w,on", "a:\n  l:\n    - w\n    - \"on\"\n  b: 1\n"},
	{"y: a block list in quotes, behind it a comment", "a:\n- \"x\" # c\n",
         "a", "[y,z", "a:\n- \"y\"\n- \"z\" # c\n"},
	{"y: a flow list", "a: [x, w]\n", "a", "[z,x,w", "a: [z, x, w]\n"},
	{"y: a flow list of one", "a: ['x']\n", "a", "[y,z", "a: ['y', 'z']\n"},
	{"y: a flow list of lines, a comma at its end", "a: [\n  x,\n  w,\n]\n",
         "a", "[z,v", "a: [\n  z,\n  v,\n]\n"},
	{"y: a flow list with a comma becomes empty", "a: [x, ]\n", "a", "[",
         "a: []\n"},
	{"y: null becomes a list", "a: null # c\n", "a", "[x", "a: [x] # c\n"},

	/* YAML, inserted */
	{"y: no parent is missing", "a:\n  b: 1\nc: 2\n", "a.x", YES,
         "a:\n  b: 1\n  x: true\nc: 2\n"},
	{"y: one parent is missing", "a:\n    b: 1\n# c\n", "x.w", YES,
         "a:\n    b: 1\n# c\nx:\n    w: true\n"},
	{"y: two parents are missing", "a: 1\n", AUTH, "false",
         "a: 1\nauthentication:\n  anonymous:\n    enabled: false\n"},
	{"y: one of two",
         "authentication:\n  x509:\n    clientCAFile: /ca  # why\n\n"
         "  # of webhook\n  webhook:\n    enabled: true\n\nb: 1\n",
         AUTH, "false",
         "authentication:\n  x509:\n    clientCAFile: /ca  # why\n\n"
         "  # of webhook\n  webhook:\n    enabled: true\n"
         "  anonymous:\n    enabled: false\n\nb: 1\n"},
	{"y: no final line end", "a:\n  b: 1", "a.x", "'w",
         "a:\n  b: 1\n  x: w"},
	{"y: no final line end, parents", "a: 1", "x.w.z", "0",
         "a: 1\nx:\n  w:\n    z: 0"},
	{"y: CRLF", "a:\r\n  b: 1\r\nc: 2\r\n", "a.x.w", YES,
         "a:\r\n  b: 1\r\n  x:\r\n    w: true\r\nc: 2\r\n"},
	{"y: documents", "---\na: 1\n...\n---\nx: 1\n", "x.w", YES,
         "---\na: 1\nx:\n  w: true\n...\n---\nx: 1\n"},
	{"y: in a nested block at the end of a document",
         "a:\n  b: 1\n---\nc: 1\n", "a.x", YES,
         "a:\n  b: 1\n  x: true\n---\nc: 1\n"},
	{"y: an empty parent", "featureGates: {}\nb: 1\n", GATE, YES,
         "featureGates: {G: true}\nb: 1\n"},
	{"y: an empty parent with a comment behind it",
         "featureGates: { } # c\n", GATE, YES, "featureGates: {G: true} # c\n"},
	{"y: a null parent", "authentication: null # c\nb: 1\n", AUTH, "false",
         "authentication: {anonymous: {enabled: false}} # c\nb: 1\n"},
	{"y: a parent with nothing", "authentication:\nb: 1\n", AUTH, "false",
         "authentication: {anonymous: {enabled: false}}\nb: 1\n"},
	{"y: a parent that is a tilde", "a:\n  b: ~\n", "a.b.c", "[x,w",
         "a:\n  b: {c: [x, w]}\n"},
	{"y: flow in a block", "a: {b: 1}\nc: 2\n", "a.x.w", YES,
         "a: {b: 1,x: {w: true}}\nc: 2\n"},
	{"y: flow of several", "a: {b: 1, c: 2}\n", "a.x", "'on",
         "a: {b: 1, c: 2, x: \"on\"}\n"},
	{"y: flow on lines", "a: {\n  b: 1,\n  c: 2\n  }\n", "a.x", YES,
         "a: {\n  b: 1,\n  c: 2,\n  x: true\n  }\n"},
	{"y: JSON behind a mark", "---\n{\n  \"a\": {\n    \"b\": 1\n  }\n}\n",
         "a.x.w", "0",
         "---\n{\n  \"a\": {\n    \"b\": 1,\n    \"x\": {\n      \"w\": 0\n"
         "    }\n  }\n}\n"},
	{"y: a block list", "a:\n    b: 1\n", "a.l", "[x,1",
         "a:\n    b: 1\n    l:\n        - x\n        - \"1\"\n"},
	{"y: an empty list", "a: 1\n", "l", "[", "a: 1\nl: []\n"},
	{"y: behind a list", "a:\n  l:\n  - x\n  - y # c\nb: 1\n", "a.x", YES,
         "a:\n  l:\n  - x\n  - y # c\n  x: true\nb: 1\n"},
	{"y: behind a block scalar", "a:\n  s: |\n    x\n\nb: 1\n", "a.x", YES,
         "a:\n  s: |\n    x\n\n  x: true\nb: 1\n"},
	{"y: behind a text of two lines", "a:\n  s: x\n    y # c\nb: 1\n",
         "a.x", YES, "a:\n  s: x\n    y # c\n  x: true\nb: 1\n"},
	{"y: behind a name without a value", "a:\n  b: # c\nd: 1\n", "a.x", YES,
         "a:\n  b: # c\n  x: true\nd: 1\n"},
	{"y: a parent with a tag", "a: !!map\n  b: 1\n", "a.x", YES,
         "a: !!map\n  b: 1\n  x: true\n"},
	{"y: a merge key behind does not bring it",
         "a:\n  x: false\n  <<: {c: 1}\n", "a.x", YES,
         "a:\n  x: true\n  <<: {c: 1}\n"},
	{"y: a merge key before brings it", "a:\n  <<: {x: false}\n  b: 1\n",
         "a.x", YES, "a:\n  <<: {x: false}\n  b: 1\n  x: true\n"},

	{"y: three parents, four blanks", "x:\n    y:\n        z: 1\n",
         "a.b.c.d", "'on",
         "x:\n    y:\n        z: 1\na:\n    b:\n        c:\n"
         "            d: \"on\"\n"},
	{"y: one of three parents",
         "a:\n  b:\n    c:\n      x: 1\n  # of e\n  e: 2\n", "a.b.c.d", "7",
         "a:\n  b:\n    c:\n      x: 1\n      d: 7\n  # of e\n  e: 2\n"},
	{"y: behind a byte order mark", "\xef\xbb\xbfx: 1\n", "a.b", "0",
         "\xef\xbb\xbfx: 1\na:\n  b: 0\n"},
	{"y: the first name behind a mark",
         "\xef\xbb\xbf"
         "a:\n  b: 1\n",
         "a.c", "0",
         "\xef\xbb\xbf"
         "a:\n  b: 1\n  c: 0\n"},
	{"y: at the end behind comments", "a:\n  b: 1\n\n# end\n", "a.c.d",
         "false", "a:\n  b: 1\n  c:\n    d: false\n\n# end\n"},
	{"y: {} at the top", "--- {}\n", "a.b", "0", "--- {a: {b: 0}}\n"},
	{"y: a gate behind others in flow",
         "featureGates: {A: true, B: false}\n", GATE, YES,
         "featureGates: {A: true, B: false, G: true}\n"},

	/* YAML, deleted */
	{"y: the first", "a: 1 # c\nb: 2\n", "a", NULL, "b: 2\n"},
	{"y: the middle one", "x:\n  a: 1\n  b:\n    c: 1\n    d: 2\n  e: 3\n",
         "x.b", NULL, "x:\n  a: 1\n  e: 3\n"},
	{"y: the last", "a: 1\nb:\n- 1\n- 2\n# end\n", "b", NULL,
         "a: 1\n# end\n"},
	{"y: the last, no line end", "a: 1\nb: 2", "b", NULL, "a: 1\n"},
	{"y: the only one", "x:\n  a: 1 # c\ny: 2\n", "x.a", NULL,
         "x:\n  {} # c\ny: 2\n"},
	{"y: the first in flow", "x: {a: 1, b: 2}\n", "x.a", NULL,
         "x: {b: 2}\n"},
	{"y: the last in flow", "x: {a: 1, b: 2,}\n", "x.b", NULL,
         "x: {a: 1,}\n"},
	{"y: the only one in flow", "x: { a: 1, }\n", "x.a", NULL, "x: {}\n"},
	{"y: CRLF goes, too", "a: 1\r\nb: 2\r\nc: 3\r\n", "b", NULL,
         "a: 1\r\nc: 3\r\n"},

	{"y: the only one, and a tag", "a: !!map\n  b: 5\n", "a.b", NULL,
         "a: !!map\n  {}\n"},

	/* YAML, refused */
	{"y: text behind the braces", "# y\n{ \"b\": 2 }\n a.x: 2 } a.x", "a.x",
         "2", NULL, "nothing but another document"},
	{"y: text behind the braces, on a line", "---\n{b: 2}\na: 1\n", "b",
         "3", NULL, "nothing but another document"},
	{"y: what is no mark behind the braces", "---\n{b: 2}\n---a: 1\n", "b",
         "3", NULL, "nothing but another document"},
	{"y: a mark that starts no line", "---\n{b: 2} ---\n", "b", "3", NULL,
         "nothing but another document"},
	{"y: an alias", "v: &v 1\na: {b: *v}\n", "a.b", "2", NULL, "alias"},
	{"y: an anchor", "a: {b: &v 1}\nc: *v\n", "a.b", "2", NULL, "anchor"},
	{"y: a parent is an alias", "v: &v {b: 1}\na: *v\n", "a.b", "2", NULL,
         "alias"},
	{"y: a parent with an anchor", "a: &v\n  b: 1\nc: *v\n", "a.b", "2",
         NULL, "anchor"},
	{"y: a null parent with an anchor", "a: &v null\nc: *v\n", "a.b", "2",
         NULL, "anchor"},
	{"y: a merge key brings the parent", "b: 1\n<<: {a: {c: 1}}\n", "a.b",
         "2", NULL, "merge key"},
	{"y: a merge key behind the parent", "a:\n  b: 1\n<<: {a: {c: 1}}\n",
         "a.b", "2", NULL, "merge key"},
	{"y: a merge key behind the member", "a:\n  b: 1\n  <<: {b: 3}\n",
         "a.b", "2", NULL, "merge key"},
	{"y: a merge key in a merge key",
         "v: &v {<<: [{a: 1}]}\nb: 1\n<<: *v\n", "a.b", "2", NULL, "merge key"},
	{"y: a parent is there twice", "a: {b: 1}\na: {b: 1}\n", "a.b", "2",
         NULL, "there once"},
	{"y: a parent is there twice, the last a null", "a:\n  b: 1\na:\n",
         "a.b", "2", NULL, "there once"},
	{"y: a parent is there twice in other words",
         "a:\n  b: 1\n\"\\x61\":\n  b: 1\n", "a.b", "2", NULL, "there once"},
	{"y: a parent is a list of mappings", "a:\n- b: 1\n", "a.b", "2", NULL,
         "must be a mapping"},
	{"y: a tab before the name", "a:\n\tb: 1\n", "a.b", "2", NULL,
         "start any token"},
	{"y: a block scalar", "a: |\n  x\n", "a", "'w", NULL, "block scalar"},
	{"y: an open block scalar", "a:\n  b: |\n    x", "a.x", "'w", NULL,
         "line end"},
	{"y: a lone name", "{a, b: 1}\n# json no more", "a", YES, NULL,
         "colon"},
	{"y: a list with comments", "a:\n- x # c\n- y\n", "a", "[z", NULL,
         "no comments"},
	{"y: a block list becomes empty", "a:\n- x\nb: 1\n", "a", "[", NULL,
         "brackets"},
	{"y: a list of mappings", "a:\n- x: 1\n", "a", "[z", NULL,
         "plain words"},
	{"y: the last name is no plain one", "a:\n  ? b\n  : 1\n", "a.x", YES,
         NULL, "start its line"},
	{"y: the last name is on the line behind a mark", "a: 1\n?\n  b\n: 1\n",
         "x", YES, NULL, "start its line"},
	{"y: a comment in the braces", "a: { # c\n  }\n", "a.x", YES, NULL,
         "braces"},
	{"y: a comment at the value", "a: \"x\"#c\n", "a", YES, NULL,
         "before the comment"},
	{"y: a comment at the last item", "a:\n- x\n- \"y\"#c\n", "a", "[z",
         NULL, "before the comment"},
	{"y: {} with a tag", "a: !!map {}\n", "a.x", YES, NULL, "braces"},
	{"y: a scalar", "x\n", "a", YES, NULL, "mapping"},
	{"y: no document", "# c\n", "a", YES, NULL, "document"},
	{"y: an anchor would go", "a: {b: &v 1}\nc: *v\n", "a", NULL, NULL,
         "anchors"},
	{"y: a comment would go", "x: {a: 1, # c\n  b: 2}\n", "x.a", NULL, NULL,
         "comment"},
	{"y: a mark inside", "a: 1 # \xef\xbb\xbf\n", "a", "2", NULL,
         "byte order mark"},
};

/* --- the reader that the edit does not know ------------------------------- */

struct listing {
	struct kr_tree tree;
	struct kr_tree_builder builder;
};

static bool is_yaml(const char *text)
{
	return text[0] != '{' || strstr(text, "json no more");
}

/* Whether PATH is PREFIX, or below it. */
static bool is_below(const char *path, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(path, prefix, n) == 0 && (!path[n] || path[n] == '.');
}

static void list_node(FILE *out, const struct kr_tree_node *node,
                      const char *path, const char *skipped)
{
	const struct kr_event *e = &node->event;
	size_t i = 0;

	/* what leads there may come, be filled and be emptied */
	if (is_below(path, skipped) ||
	    (*path && is_below(skipped, path) &&
	     (!node->first || e->type == KR_EVENT_NULL)))
		return;
	if (!(*path && is_below(skipped, path)) && *path)
		fprintf(out, "%s=%d %.*s\n", path, (int)e->type, (int)e->length,
		        e->text ?: "");
	for (const struct kr_tree_node *c = node->first; c; c = c->next, i++) {
		char *below = NULL;

		if (e->type == KR_EVENT_MAP)
			ck_assert(asprintf(&below, "%s%s%.*s", path,
			                   *path ? "." : "",
			                   (int)c->name.length,
			                   c->name.text) > 0);
		else
			ck_assert(asprintf(&below, "%s[%zu]", path, i) > 0);
		list_node(out, c, below, skipped);
		free(below);
	}
}

/* All of FILE but what is at PATH and below. The caller frees it. */
static char *list_others(const struct kr_file *file, bool yaml,
                         const char *path)
{
	_cleanup_tree_ struct kr_tree tree = {0};
	struct kr_tree_builder builder = {.tree = &tree};
	const struct kr_listener listener = {kr_tree_hear, &builder};
	struct kr_layout layout;
	struct kr_span twice;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int r = yaml ? kr_yaml_read(file, &listener, NULL, &layout, &twice)
	             : kr_json_read(file, &listener, NULL);

	ck_assert_int_ge(r, 0);
	list_node(out, tree.root, "", path);
	fclose(out);
	return text;
}

/* --- the laws ------------------------------------------------------------ */

struct wanted {
	struct kr_strings list;
	struct kr_doc_value value;
};

static const struct kr_doc_value *make_value(const char *text,
                                             struct wanted *ret)
{
	*ret = (struct wanted){.value = {.type = KR_DOC_WORD, .text = text}};
	if (!text)
		return NULL;
	if (*text == '\'') {
		ret->value.type = KR_DOC_STRING;
		ret->value.text = text + 1;
	} else if (*text == '[') {
		ret->value.type = KR_DOC_LIST;
		ret->value.list = &ret->list;
		for (text++; *text; text += *text == ',') {
			size_t n = strcspn(text, ",");

			ck_assert(!kr_strings_add_part(&ret->list, text, n));
			text += n;
		}
	}
	return &ret->value;
}

static const struct kr_file *apply(const struct row *row,
                                   const struct kr_file *file,
                                   const struct kr_edits *edits)
{
	_cleanup_free_ char *data = NULL;
	size_t size;

	if (edits->n_files == 0)
		return file;
	ck_assert_int_eq(kr_file_edits_apply(&edits->files[0], &data, &size),
	                 0);
	return kr_test_file("/after", data, size);
}

static void check_proof(const struct row *row, const struct kr_file *before,
                        const struct kr_file *after,
                        const struct kr_doc_path *path,
                        const struct kr_doc_value *value)
{
	static const struct kr_doc_value other = {KR_DOC_STRING, "other", NULL};
	_cleanup_diag_ struct kr_diag diag = {0};
	bool yaml = is_yaml(row->in);
	int r = kr_doc_prove(before, after, yaml, path, value, &diag);

	ck_assert_msg(r == KR_DOC_DONE, "%s: no proof of '%s': %d%s", row->name,
	              after->data, r, kr_test_messages(&diag));
	r = kr_doc_prove(before, after, yaml, path, &other, NULL);
	ck_assert_msg(r == KR_DOC_REFUSED, "%s: any value is proven",
	              row->name);
	if (!value)
		return;
	r = kr_doc_prove(before, after, yaml, path, NULL, NULL);
	ck_assert_msg(r == KR_DOC_REFUSED, "%s: proven to be gone", row->name);
}

/* One byte more, somewhere else than in the edit, is no longer proven. */
static void check_strangers(const struct row *row, const struct kr_file *before,
                            const struct kr_file *after,
                            const struct kr_doc_path *path,
                            const struct kr_doc_value *value)
{
	size_t common = 0, end = 0;

	while (common < before->size && common < after->size &&
	       before->data[common] == after->data[common])
		common++;
	while (end < before->size - common && end < after->size - common &&
	       before->data[before->size - 1 - end] ==
	               after->data[after->size - 1 - end])
		end++;
	for (size_t i = 0; i < after->size; i++) {
		_cleanup_free_ char *data = strdup(after->data);
		const struct kr_file *other;
		int r;

		if (i >= common && i < after->size - end)
			continue;
		data[i] = data[i] == 'q' ? 'p' : 'q';
		other = kr_test_file("/other", data, after->size);
		r = kr_doc_prove(before, other, is_yaml(row->in), path, value,
		                 NULL);
		ck_assert_msg(r == KR_DOC_REFUSED, "%s: proven: '%s'",
		              row->name, data);
	}
}

START_TEST(test_edit)
{
	const struct row *row = &rows[_i];
	const struct kr_file *file =
		kr_test_file("/before", row->in, strlen(row->in));
	_cleanup_doc_path_ struct kr_doc_path path = {0};
	_cleanup_edits_ struct kr_edits edits = {0}, again = {0};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_free_ char *before = NULL, *after = NULL;
	const struct kr_doc_value *value;
	const struct kr_file *edited;
	bool yaml = is_yaml(row->in);
	struct wanted wanted;
	int r;

	value = make_value(row->value, &wanted);
	ck_assert_int_eq(kr_doc_path_parse(row->path, &path), 0);
	r = kr_doc_edit(file, yaml, &path, value, &diag, &edits);
	if (!row->want) {
		ck_assert_msg(r == KR_DOC_REFUSED && edits.n_files == 0 &&
		                      diag.n_messages == 1 &&
		                      strstr(diag.messages[0].text, row->why),
		              "%s: %d%s", row->name, r,
		              kr_test_messages(&diag));
		kr_strings_done(&wanted.list);
		return;
	}
	ck_assert_msg(r == KR_DOC_DONE, "%s: %d%s", row->name, r,
	              kr_test_messages(&diag));
	edited = apply(row, file, &edits);
	ck_assert_msg(strcmp(edited->data, row->want) == 0, "%s: got '%s'",
	              row->name, edited->data);
	before = list_others(file, yaml, row->path);
	after = list_others(edited, yaml, row->path);
	ck_assert_msg(strcmp(before, after) == 0, "%s: %s became %s", row->name,
	              before, after);
	check_proof(row, file, edited, &path, value);
	check_strangers(row, file, edited, &path, value);
	r = kr_doc_edit(edited, yaml, &path, value, NULL, &again);
	ck_assert_msg(r == KR_DOC_DONE && again.n_files == 0, "%s: again",
	              row->name);
	kr_strings_done(&wanted.list);
}
END_TEST

/* The text in UTF-16, where libyaml's marks count characters. */
START_TEST(test_utf16)
{
	static const char text[] = "a: 1\nb: {c: 2}\n";
	const struct kr_doc_value value = {KR_DOC_WORD, "3", NULL};
	static const char *const paths[] = {"a", "b.c", "b.d", "x.y"};
	char bytes[2 * sizeof(text)] = "\xff\xfe";
	size_t n = 2;

	for (const char *c = text; *c; c++) {
		bytes[n++] = *c;
		bytes[n++] = '\0';
	}
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_doc_path_ struct kr_doc_path path = {0};
		_cleanup_edits_ struct kr_edits edits = {0};
		_cleanup_diag_ struct kr_diag diag = {0};

		ck_assert_int_eq(kr_doc_path_parse(paths[i], &path), 0);
		ck_assert_int_eq(kr_doc_edit(kr_test_file("/f", bytes, n), true,
		                             &path, &value, &diag, &edits),
		                 KR_DOC_REFUSED);
		ck_assert(strstr(kr_test_messages(&diag), "UTF-8"));
		ck_assert_uint_eq(edits.n_files, 0);
	}
}
END_TEST

/* Names of a drop-in match in any case, a gate's does not. */
START_TEST(test_fold)
{
	static const char text[] = "{\"FEATUREGATES\":{\"g\":true}}";
	static const char want[] = "{\"FEATUREGATES\":{\"g\":true,\"G\":true}}";
	const struct kr_doc_value value = {KR_DOC_WORD, "true", NULL};
	const struct row row = {.name = "fold", .in = text};
	_cleanup_doc_path_ struct kr_doc_path path = {0};
	_cleanup_edits_ struct kr_edits edits = {0};
	const struct kr_file *file = kr_test_file("/f", text, strlen(text));
	const struct kr_file *edited;

	ck_assert_int_eq(kr_doc_path_parse(GATE, &path), 0);
	path.fold = path.exact_last = true;
	ck_assert_int_eq(kr_doc_edit(file, false, &path, &value, NULL, &edits),
	                 KR_DOC_DONE);
	edited = apply(&row, file, &edits);
	ck_assert_str_eq(edited->data, want);
	check_proof(&row, file, edited, &path, &value);
}
END_TEST

static const struct {
	const char *name, *before, *after, *path, *value;
} unproven[] = {
	{"another member is gone", "{\"a\":{\"b\":1,\"c\":2}}",
         "{\"a\":{\"b\":2}}", "a.b", "2"},
	{"another member came with a parent", "{\"x\":1}",
         "{\"x\":1,\"a\":{\"b\":2,\"c\":3}}", "a.b", "2"},
	{"another member came before", "{\"x\":1}",
         "{\"x\":1,\"y\":2,\"a\":{\"b\":2}}", "a.b", "2"},
	{"inserted before the last", "{\"x\":{\"y\":1}}",
         "{\"x\":{\"b\":2,\"y\":1}}", "x.b", "2"},
	{"the parent's others are gone", "{\"a\":{\"c\":3}}",
         "{\"a\":{\"b\":2}}", "a.b", "2"},
	{"the value is somewhere else", "{\"a\":{\"b\":1},\"c\":{\"b\":1}}",
         "{\"a\":{\"b\":1},\"c\":{\"b\":2}}", "a.b", "2"},
	{"y: a comment came", "a:\n  b: 1\n", "a:\n  b: 2 # c\n", "a.b", "2"},
	{"y: a comment came with it", "x: 1\n", "x: 1\na:\n  b: 2 # c\n", "a.b",
         "2"},
	{"y: an anchor came with it", "x: 1\n", "x: 1\na: &a\n  b: 2\n", "a.b",
         "2"},
	{"y: another member came", "x: 1\n", "x: 1\na:\n  c: 3\n  b: 2\n",
         "a.b", "2"},
	{"y: in the wrong mapping", "x:\n  y: 1\n", "x:\n  y: 1\n  b: 2\n", "b",
         "2"},
	{"y: a null is filled and more", "a: null\n", "a: {b: 2, c: 3}\n",
         "a.b", "2"},
	{"y: a text is no number", "a: 1\n", "a: \"2\"\n", "a", "2"},
	{"y: two are gone", "a: 1\nb: 2\nc: 3\n", "c: 3\n", "a", NULL},
	{"y: not gone", "a: 1\nb: 2\n", "a: 1\nb: 2\n", "a", NULL},
};

START_TEST(test_unproven)
{
	const char *before = unproven[_i].before, *after = unproven[_i].after;
	_cleanup_doc_path_ struct kr_doc_path path = {0};
	_cleanup_diag_ struct kr_diag diag = {0};
	struct wanted wanted;
	int r;

	ck_assert_int_eq(kr_doc_path_parse(unproven[_i].path, &path), 0);
	r = kr_doc_prove(kr_test_file("/b", before, strlen(before)),
	                 kr_test_file("/a", after, strlen(after)),
	                 is_yaml(before), &path,
	                 make_value(unproven[_i].value, &wanted), &diag);
	ck_assert_msg(r == KR_DOC_REFUSED && diag.n_messages == 1, "%s: %d%s",
	              unproven[_i].name, r, kr_test_messages(&diag));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "edit", NULL, NULL);

	tcase_add_loop_test(tc, test_edit, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_fold);
	tcase_add_test(tc, test_utf16);
	tcase_add_loop_test(tc, test_unproven, 0, ARRAY_SIZE(unproven));
}

KR_TEST_MAIN(add_tests);
