begin;
select plan(65);

-- Made with OpenSSL: `openssl genpkey` and `openssl pkey -pubout`.
create temporary table keys (name text primary key, pem text not null);
insert into keys (name, pem)
values
  ('rsa', '-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwINteIApdx9MPi4PP/8J
csYaLoMXE02VbjgYioXXvcUxuNiqrrzd2+PTxLkdSX8RejsghutzFbywf8dJ5ZLH
daaDl2ROJ0PHuZxVbOVzEvtqS4RQcREIktgwtbImyAVVAJgG8e1NXjIwtPs/Yvqx
Tue+jVDUqUeALN/J3wI7OiFnxGOavkhhtBGe2rUn84IQV49W5zKk3eygtg3IoNHc
IkoSGzrfrjj6G0Sf7x4UEzxXa6cFma4kt8K5y3cWzw42yUOHVjFwwG/F9/Grr8+8
a8KhbXxS3rLomhlFMBKwPO/AYKuvW1gJnKBNnIswPbw5/n6Cz5uXYBBhVqv96lLo
DQIDAQAB
-----END PUBLIC KEY-----'),
  ('rsa_4096', '-----BEGIN PUBLIC KEY-----
MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEApk3Px30IiCCNE75z4vVr
doezAEwEudlvi2jev3rlRdg5E/PB6FQRfzb6GJRWCW1OnBjVB5Jo4+MUUSuhRx63
GSizPiP9L9P26PA4QHG2S6igZjwaic7XjK6Xzi/IsxNV7wwkLsX3IW4aJALc2eF2
TmxZayeXLLdMdQ3iwQkdrz85OYCUuReGImmHTEN4GAjiob2+pOngtHLuJrCJDQpv
xd/IHdFnVd9veFy9LONxwjir48A1rJ2GuEGceBPDxqzyN+jsMLJM7FySMqqIBHXF
9N3q6cZ4MpRXI7Y3O0H7LPF/vGoUD4CMN91E9wRV6jLgQ9Af0wwdaKEbQH5DijOq
9kotIrWdloB+4dBM4HwD5sCicu+0kj40RAIZCyk2TOy/Yw8PqtgubtsdqXuRac9u
tee1k2uVHQTOz+OMUeFsWE7QFllbqjtI/XFSlbXn8zqS9nDKyqvjOPfmqmjTAnoN
ohIqwiT3bvcfvr2E7XRBIoGPgDdspPaIKAHpvuyib0eMgTTseIf3X1MVVUOM4IFG
EtHGRtUK9kyhiiwAle4pEzn6k2GEBI3ppyQ32wEwISGeY0BTO+mzNyNbS8wBqMi4
pyA/m0Ct9EitXEYaLTjELTTuy4rhBnHXz6R7skgddVbUSXxwm17FnWgQnA6S43O8
N0bi+yh5vK9YWOD+s0slIJECAwEAAQ==
-----END PUBLIC KEY-----'),
  ('p256', '-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+fuHeMK+9D3WNRjA9KFJ2FUcACzC
vECcC49rVm8izmx5dWdqP9vVqdlwAoSo9Tli0K6Z6DuoFDF6YoBWOshXYg==
-----END PUBLIC KEY-----'),
  ('ed25519', '-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAp2cSPoe5eWBPqFZ94eOdXtp0wBlN6TJVRlMZzEl4aXM=
-----END PUBLIC KEY-----'),
  ('x25519', '-----BEGIN PUBLIC KEY-----
MCowBQYDK2VuAyEATZW3bPshLS/l+6sbwd3DV1hRpwM6cogBmNZyOweIvTY=
-----END PUBLIC KEY-----'),
  ('rsa_1024', '-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDdUMHC6B0x9xhnS6kG7owefNxj
XxrDZXf5p0Rhj2P8CIiULosdbOtCdQEvc2UDOUYPtXuUttrjKES5qlU+poE2WUlX
QQTxPumIk4p4igtmy7b4X+OU0R+q2DaYXqQpK9+VQCRuQL1RjVEjbeXbsT06QNQa
ydPG7mRBBNXFGo9EWwIDAQAB
-----END PUBLIC KEY-----'),
  ('rsa_2047', '-----BEGIN PUBLIC KEY-----
MIIBITANBgkqhkiG9w0BAQEFAAOCAQ4AMIIBCQKCAQBnfpb5rUyXQARyehqzcrlw
1r59K5cKnklCDYsAPZ6yGxB57c9MJX7WFPASELuYxhgLi3VPKHjqrSZyuK0el8BP
DaHKeb0hk2zOwomOuA8eGdmZn6wkKXdwEdpnR/ruYehkNPjF8qRB9p7K/TwBjPcc
7QjsS5AiSf8pw57A2rsrwq7J8y8iLQkv5Aewf41j/M0V6pYCMxN6lu8C06gEoEXb
4/G6qLhmG0/ZREjMi6FnhRBDI+O5dI87dTF8STFhA88CibP1wkZHSq0V+xQC885m
6aZEEi8e6UGVnhUPSdm9Fdw/JYFCdDVYvbIaK8G1g93T17NVPGK/8S7IfHq7dr1z
AgMBAAE=
-----END PUBLIC KEY-----'),
  ('rsa_pss', '-----BEGIN PUBLIC KEY-----
MIIBIDALBgkqhkiG9w0BAQoDggEPADCCAQoCggEBAMUT0GOs947Nfr0sUM74sisn
4OCrk4HrVgqKWkxUB+p5mJJbg+2e5EN+sWnfvzXOrouVhGu8u+Z9AYOUyCtRnZc+
QHUmRZN7acDyeRGbR4vTBnQYYaKeGWRnKHPU3/V3f2o0RdJMMRfqAImpr/YVWebV
PU+fE9re1K2boOcX/zWwVeGmhKVeLEeaQ5Yqe9BC1DK0F6VLw6FYR7xC0fnm+Rkf
cFrE2WFhHU7ZBa1XSJDByDRB+QjJpe4Rs9aTQdAFSco+fHLDbe4ObiHeybLTdn+2
yigBlpme4cx1pDqQ6oSKQ3ErxEcFaRx6Eu0XMIHGHlGhidE/1iDOVkXqzxcem98C
AwEAAQ==
-----END PUBLIC KEY-----'),
  ('p384', '-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEVsHzLKhnRgy7Ne/6ZVyq6wGj9CA6A2Xn
PuFE0d+swcJLulVYtr7gn3kg3kBg3ELgNvqpzvCM9jSp6o9BsNnJ64iCF5jeoGMP
5xwZg1A81YIANDjkehYDnEf/AUYqtq4k
-----END PUBLIC KEY-----'),
  ('k256', '-----BEGIN PUBLIC KEY-----
MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEzFGPbdDxV843+c8hz9RKyr4wZjq6ppAs
2aQfcwNV8eZ+g2TQx1Ph57CuojsGDkWZBdvqMYM7jdB/6rXRf0MvkA==
-----END PUBLIC KEY-----'),
  ('ed448', '-----BEGIN PUBLIC KEY-----
MEMwBQYDK2VxAzoADtRABdlcBCKBOTmAw8v6cmOG9URZXVJOe7ijGa0FTRk91yJL
wi/J57/vKIzESDyHlpuKfBQ3aR8A
-----END PUBLIC KEY-----'),
  ('pkcs1_public', '-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEAwINteIApdx9MPi4PP/8JcsYaLoMXE02VbjgYioXXvcUxuNiqrrzd
2+PTxLkdSX8RejsghutzFbywf8dJ5ZLHdaaDl2ROJ0PHuZxVbOVzEvtqS4RQcREI
ktgwtbImyAVVAJgG8e1NXjIwtPs/YvqxTue+jVDUqUeALN/J3wI7OiFnxGOavkhh
tBGe2rUn84IQV49W5zKk3eygtg3IoNHcIkoSGzrfrjj6G0Sf7x4UEzxXa6cFma4k
t8K5y3cWzw42yUOHVjFwwG/F9/Grr8+8a8KhbXxS3rLomhlFMBKwPO/AYKuvW1gJ
nKBNnIswPbw5/n6Cz5uXYBBhVqv96lLoDQIDAQAB
-----END RSA PUBLIC KEY-----'),
  ('rsa_private', '-----BEGIN PRIVATE KEY-----
MIIEvwIBADANBgkqhkiG9w0BAQEFAASCBKkwggSlAgEAAoIBAQDAg214gCl3H0w+
Lg8//wlyxhougxcTTZVuOBiKhde9xTG42KquvN3b49PEuR1JfxF6OyCG63MVvLB/
x0nlksd1poOXZE4nQ8e5nFVs5XMS+2pLhFBxEQiS2DC1sibIBVUAmAbx7U1eMjC0
+z9i+rFO576NUNSpR4As38nfAjs6IWfEY5q+SGG0EZ7atSfzghBXj1bnMqTd7KC2
Dcig0dwiShIbOt+uOPobRJ/vHhQTPFdrpwWZriS3wrnLdxbPDjbJQ4dWMXDAb8X3
8auvz7xrwqFtfFLesuiaGUUwErA878Bgq69bWAmcoE2cizA9vDn+foLPm5dgEGFW
q/3qUugNAgMBAAECggEALAkkLk8qrPv0xbhldp8Q+zcDYCZOTfUOPGMKgg0xl1AX
GpA9IrFDEnxfwX0SjPBLACmsPBB5h7xcpy3f4mqbw3auXR/tnJ+tfPCcvccSdoIa
A2IlwGdEDcr0AWvZ4SEPG46q8AX3D5ftekiKbEqp6kGqXcriikI3uIwMMj3hbF83
qCPSknxvizCLFypDST/mb3aruGeFwLvzBQ6yFGTfkDFbNppqkSzXyLpujMg/Ipmy
VyQC86UTe+MWdMJSbuo1VaRxIHNUaOXJfTuiJLpY/S0GBVbxpDz44RD2DbdDkj3E
bc7ETEJiPCAWSUVuE4ObmDUXzOP+EyWSIYNAZbLGhQKBgQD3AQ0zNd0BZ9Xnxh6F
4DUjns2rEYyKAGBVQjA0mc8beYB4RclLkChTAwBGf/R+zcu67SKIXNK5dH6edERR
DQFG8G3iVTLrwnJilJGFbC6OtWD3yCEyP6uh0zOAH1GryjPuyyeXlEDO2rmw4POM
+b0Uj4nFFW1Yjo7SjNbeI9/cpwKBgQDHhlSiIrWOyZxHwtFwM7ny9zR55n/mtUkn
C2TTNd7f7Q/3yqhKREsS0sKg3QEuNvYnXc8qO5Nrp/nVXK8OEx7qJVfKqQpScMtl
wvP19ulm02Ub3gAtFZDc972AGOlMAkbDF886wDJ1cSw6T/p9dVH3p0ORabe/0KQm
nikKpuNoKwKBgQCl5ozpInpoYUeovsbtgGPwos7c4ZKVdh895JDgI5aZi4ggQC8t
k4uiBdf/gh3DtZHq4S9ai431histXkYsciGzdfU4GaVz+Ew/ri33gWvb6jNQ+Zhi
WaV7sZFbsq12Rv+OmeDjzG2jAgHKraynuW2oC6irOPMSkd2XyYTf+xR27QKBgQDB
EtIvGxtJkvqxzmnRA5z66hBTraMy41Zoe/QTFlwXoFUFWYxEYZWsH1rLQ1FzIShN
q89edMwRLzjpKIkVO5d8yKoNqEoewJtyW5ar+0Schg+fSdItzmKiEPHFVVXcgY9s
Fkwn8/hgASXlP6OLZ83rsmYF/qEa8pEF9aKNdjU0hQKBgQCTBcOrSKfuYsthuXsl
uWE+Py5MxalRRhu/guKrDafXyagUUVguOA8xT7pidnoVkR26HUjK6NW48efpkWEt
uYAdfHDmSS72RYn3dlgG6CZ+x0QCHnWpT4VG3Y/1YjMNXx/DmrM0B2wAqFSk2A5A
u36aNUNI08owScj2ftdwAiV3jg==
-----END PRIVATE KEY-----'),
  ('pkcs1_private', '-----BEGIN RSA PRIVATE KEY-----
MIIEpQIBAAKCAQEAwINteIApdx9MPi4PP/8JcsYaLoMXE02VbjgYioXXvcUxuNiq
rrzd2+PTxLkdSX8RejsghutzFbywf8dJ5ZLHdaaDl2ROJ0PHuZxVbOVzEvtqS4RQ
cREIktgwtbImyAVVAJgG8e1NXjIwtPs/YvqxTue+jVDUqUeALN/J3wI7OiFnxGOa
vkhhtBGe2rUn84IQV49W5zKk3eygtg3IoNHcIkoSGzrfrjj6G0Sf7x4UEzxXa6cF
ma4kt8K5y3cWzw42yUOHVjFwwG/F9/Grr8+8a8KhbXxS3rLomhlFMBKwPO/AYKuv
W1gJnKBNnIswPbw5/n6Cz5uXYBBhVqv96lLoDQIDAQABAoIBACwJJC5PKqz79MW4
ZXafEPs3A2AmTk31DjxjCoINMZdQFxqQPSKxQxJ8X8F9EozwSwAprDwQeYe8XKct
3+Jqm8N2rl0f7ZyfrXzwnL3HEnaCGgNiJcBnRA3K9AFr2eEhDxuOqvAF9w+X7XpI
imxKqepBql3K4opCN7iMDDI94WxfN6gj0pJ8b4swixcqQ0k/5m92q7hnhcC78wUO
shRk35AxWzaaapEs18i6bozIPyKZslckAvOlE3vjFnTCUm7qNVWkcSBzVGjlyX07
oiS6WP0tBgVW8aQ8+OEQ9g23Q5I9xG3OxExCYjwgFklFbhODm5g1F8zj/hMlkiGD
QGWyxoUCgYEA9wENMzXdAWfV58YeheA1I57NqxGMigBgVUIwNJnPG3mAeEXJS5Ao
UwMARn/0fs3Luu0iiFzSuXR+nnREUQ0BRvBt4lUy68JyYpSRhWwujrVg98ghMj+r
odMzgB9Rq8oz7ssnl5RAztq5sODzjPm9FI+JxRVtWI6O0ozW3iPf3KcCgYEAx4ZU
oiK1jsmcR8LRcDO58vc0eeZ/5rVJJwtk0zXe3+0P98qoSkRLEtLCoN0BLjb2J13P
KjuTa6f51VyvDhMe6iVXyqkKUnDLZcLz9fbpZtNlG94ALRWQ3Pe9gBjpTAJGwxfP
OsAydXEsOk/6fXVR96dDkWm3v9CkJp4pCqbjaCsCgYEApeaM6SJ6aGFHqL7G7YBj
8KLO3OGSlXYfPeSQ4COWmYuIIEAvLZOLogXX/4Idw7WR6uEvWouN9YYrLV5GLHIh
s3X1OBmlc/hMP64t94Fr2+ozUPmYYlmle7GRW7Ktdkb/jpng48xtowIByq2sp7lt
qAuoqzjzEpHdl8mE3/sUdu0CgYEAwRLSLxsbSZL6sc5p0QOc+uoQU62jMuNWaHv0
ExZcF6BVBVmMRGGVrB9ay0NRcyEoTavPXnTMES846SiJFTuXfMiqDahKHsCbcluW
q/tEnIYPn0nSLc5iohDxxVVV3IGPbBZMJ/P4YAEl5T+ji2fN67JmBf6hGvKRBfWi
jXY1NIUCgYEAkwXDq0in7mLLYbl7JblhPj8uTMWpUUYbv4Liqw2n18moFFFYLjgP
MU+6YnZ6FZEduh1IyujVuPHn6ZFhLbmAHXxw5kku9kWJ93ZYBugmfsdEAh51qU+F
Rt2P9WIzDV8fw5qzNAdsAKhUpNgOQLt+mjVDSNPKMEnI9n7XcAIld44=
-----END RSA PRIVATE KEY-----'),
  ('p256_private', '-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+PAheB84tD7CwuBN
lqjEBfSoxXFbTajgjUwllFXmJRahRANCAAT5+4d4wr70PdY1GMD0oUnYVRwALMK8
QJwLj2tWbyLObHl1Z2o/29Wp2XAChKj1OWLQrpnoO6gUMXpigFY6yFdi
-----END PRIVATE KEY-----'),
  ('ed25519_private', '-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ6JDi0l1IYkP3ItWk+ANd6TG52V6ffXu5XqRCr81Ldu
-----END PRIVATE KEY-----'),
  ('x25519_private', '-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VuBCIEIBBMmmQmjxxCbCSkPl4AYANZL1oJBwTwyYxi6RBfl4Bd
-----END PRIVATE KEY-----');

create function pg_temp.pem(p_name text) returns text language sql as $$ select pem from keys where name = p_name $$;
create function pg_temp.body(p_pem text) returns bytea language sql as $$
  select decode(regexp_replace(p_pem, '-----[A-Z ]+-----', '', 'g'), 'base64')
$$;
create function pg_temp.to_pem(p_der bytea) returns text language sql as $$
  select e'-----BEGIN PUBLIC KEY-----\n' || encode(p_der, 'base64') || e'\n-----END PUBLIC KEY-----\n'
$$;
create function pg_temp.der(p_name text) returns bytea language sql as $$ select pg_temp.body(pg_temp.pem(p_name)) $$;
-- Whether these bytes, as a public key's PEM, are one.
create function pg_temp.reads(p_der bytea) returns boolean language sql as $$
  select private.public_key_der(pg_temp.to_pem(p_der)) is not null
$$;
create function pg_temp.reads_hex(p_der text) returns boolean language sql as $$
  select pg_temp.reads(decode(regexp_replace(p_der, '\s', '', 'g'), 'hex'))
$$;
-- An RSA key of these two numbers, which are less than 64 KB each.
create function pg_temp.tlv(p_tag text, p_content bytea) returns bytea language sql as $$
  select decode(
    p_tag || case
      when length(p_content) < 128 then lpad(to_hex(length(p_content)), 2, '0')
      when length(p_content) < 256 then '81' || to_hex(length(p_content))
      else '82' || lpad(to_hex(length(p_content)), 4, '0')
    end, 'hex'
  ) || p_content
$$;
create function pg_temp.rsa(p_modulus bytea, p_exponent bytea) returns bytea language sql as $$
  select pg_temp.tlv('30', '\x300d06092a864886f70d0101010500' || pg_temp.tlv(
    '03', '\x00' || pg_temp.tlv('30', pg_temp.tlv('02', p_modulus) || pg_temp.tlv('02', p_exponent))
  ))
$$;
create function pg_temp.modulus(p_bytes int) returns bytea language sql as $$
  select decode('00' || repeat('ff', p_bytes), 'hex')
$$;

select is(
  private.public_key_der(pg_temp.pem(name)), pg_temp.der(name), 'mobile.keys: a public key is read: ' || name
) from unnest(array['rsa', 'rsa_4096', 'p256', 'ed25519', 'x25519']) as name;
select is(
  private.public_key_der(pg_temp.pem(name)), null, 'mobile.keys: refused by its label: ' || name
) from unnest(array['rsa_private', 'pkcs1_private', 'p256_private', 'ed25519_private', 'x25519_private', 'pkcs1_public']) as name;
select ok(
  not pg_temp.reads(pg_temp.der(name)), 'and under the label of a public key: ' || name
) from unnest(array['rsa_private', 'pkcs1_private', 'p256_private', 'ed25519_private', 'x25519_private', 'pkcs1_public']) as name;
select ok(
  not pg_temp.reads(pg_temp.der(name)), 'too small, or of another algorithm: ' || name
) from unnest(array['rsa_1024', 'rsa_2047', 'rsa_pss', 'p384', 'k256', 'ed448']) as name;

-- The text around it.
select is(
  private.public_key_der(e' \r\n' || replace(pg_temp.pem('rsa'), e'\n', e'\r\n') || e'\r\n\n'),
  pg_temp.der('rsa'), 'lines may end as on Windows'
);
select is(
  private.public_key_der(
    e'-----BEGIN PUBLIC KEY-----\n' || translate(encode(pg_temp.der('rsa'), 'base64'), e'\n', '') || e'\n-----END PUBLIC KEY-----'
  ),
  pg_temp.der('rsa'), 'it may be one line'
);
select is(private.public_key_der(pem), null, 'no PEM of one public key: ' || name)
from (
  values
    ('nothing', null),
    ('empty', ''),
    ('a word', 'key'),
    ('no key between the labels', e'-----BEGIN PUBLIC KEY-----\n\n-----END PUBLIC KEY-----'),
    ('no base64', e'-----BEGIN PUBLIC KEY-----\nHello!\n-----END PUBLIC KEY-----'),
    ('padding left out', replace(pg_temp.to_pem('\x302a300506032b656e032100' || sha256('') || '\x'), '=', '')),
    ('bits too many', replace(pg_temp.pem('ed25519'), '=', 'A')),
    ('without labels', encode(pg_temp.der('ed25519'), 'base64')),
    ('two keys', pg_temp.pem('ed25519') || e'\n' || pg_temp.pem('x25519')),
    ('a text before', e'Key:\n' || pg_temp.pem('ed25519')),
    ('a private key behind', pg_temp.pem('ed25519') || e'\n' || pg_temp.pem('ed25519_private')),
    ('4 KB and more', pg_temp.pem('ed25519') || repeat(e'\n', 4096))
) as refused (name, pem);

-- The bytes.
select ok(not pg_temp.reads(pg_temp.der(name) || '\x00'), 'nothing may trail: ' || name)
from unnest(array['rsa', 'ed25519']) as name;
select ok(pg_temp.reads_hex('302a300506032b6570032100' || repeat('ab', 32)), 'a key of 32 bytes');
select ok(not pg_temp.reads_hex(der), name)
from (
  values
    ('none of 31', '3029300506032b6570032000' || repeat('ab', 31)),
    ('none of 33', '302b300506032b6570032200' || repeat('ab', 33)),
    ('a length in two bytes that fits into one', '30812a300506032b6570032100' || repeat('ab', 32)),
    ('a length that ends anywhere', '3080300506032b6570032100' || repeat('ab', 32) || '0000'),
    ('a bit string with bits left over', '302a300506032b6570032101' || repeat('ab', 32)),
    ('one byte inside behind the key', '302c300506032b6570032100' || repeat('ab', 32) || '0500'),
    ('parameters where there are none', '302c300706032b65700500032100' || repeat('ab', 32)),
    ('cut', '302a300506032b6570032100' || repeat('ab', 31)),
    ('a tag alone', '30')
) as refused (name, der);

select ok(not pg_temp.reads(set_byte(pg_temp.der('p256'), 90, 1 # get_byte(pg_temp.der('p256'), 90))), 'a point beside the curve');
select ok(not pg_temp.reads(set_byte(pg_temp.der('p256'), 26, 2)), 'a point that does not say its form');

select ok(pg_temp.reads(pg_temp.rsa(modulus, exponent)), name)
from (
  values
    ('2,048 bits and 65537', pg_temp.modulus(256), '\x010001'::bytea),
    ('2,048 bits and 3', pg_temp.modulus(256), '\x03'),
    ('16,384 bits', pg_temp.modulus(2048), '\x010001')
) as accepted (name, modulus, exponent);
select ok(not pg_temp.reads(pg_temp.rsa(modulus, exponent)), 'no ' || name)
from (
  values
    ('2,047 bits', '\x7f'::bytea || substring(pg_temp.modulus(255) from 2), '\x010001'::bytea),
    ('16,392 bits', pg_temp.modulus(2049), '\x010001'),
    ('even modulus', set_byte(pg_temp.modulus(256), 256, 254), '\x010001'),
    ('negative modulus', substring(pg_temp.modulus(300) from 2), '\x010001'),
    ('modulus with zeros before', '\x00' || pg_temp.modulus(256), '\x010001'),
    ('exponent 1', pg_temp.modulus(256), '\x01'),
    ('even exponent', pg_temp.modulus(256), '\x010002'),
    ('negative exponent', pg_temp.modulus(256), '\x83'),
    ('exponent 0', pg_temp.modulus(256), '\x00'),
    ('exponent without a byte', pg_temp.modulus(256), '\x'),
    ('exponent of 65 bits', pg_temp.modulus(256), '\x010000000000000001')
) as refused (name, modulus, exponent);

select * from finish();
rollback;
