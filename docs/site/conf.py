# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How Sphinx makes the documentation site."""

project = "dbfleet.mysql"
author = "the dbfleet.mysql authors"
project_copyright = "2026, the dbfleet.mysql authors"

extensions = ["myst_parser", "sphinx.ext.graphviz", "sphinx_antsibull_ext"]
# As GitHub has them, so that a page works there too.
myst_heading_anchors = 3
myst_enable_extensions = ["tasklist"]
graphviz_output_format = "svg"

html_theme = "furo"
html_title = "dbfleet.mysql"
html_copy_source = False
html_show_sphinx = False
html_use_index = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
highlight_language = "YAML+Jinja"
pygments_style = "ansible"

# What antsibull-docs refers to in Ansible's own documentation, which is not a part of this site.
nitpick_ignore = [
    ("std:ref", "action_plugins"),
    ("std:ref", "ansible_collections.ansible.builtin.file_module"),
    ("std:ref", "common_return_values"),
]

linkcheck_anchors_ignore_for_url = [r"https://github\.com/.*"]
# The collection's own repository and namespace exist only from its publication on.
linkcheck_ignore = [
    r"https://github\.com/dbfleet(/.*)?",
    r"https://galaxy\.ansible\.com/ui/repo/published/dbfleet/.*",
]
